"""Every address of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from .api import description
from .api.routes import patterns
from .views import (
    acts,
    arguments,
    boards,
    bookmarks,
    closing,
    comparing,
    describing,
    drafts,
    errors,
    feeds,
    history,
    jumping,
    log,
    mail,
    maps,
    members,
    news,
    notices,
    openings,
    outline,
    own_data,
    own_feeds,
    pictures,
    polls,
    posts,
    preview,
    questions,
    reports,
    road,
    robots,
    search,
    site,
    splitting,
    standing,
    story,
    takeaway,
    threads,
    timeline,
    transparency,
    variants,
    watching,
    while_writing,
)

thread_urls = [
    path("", threads.thread, name="thread-id"),
    path("reply/", posts.reply, name="reply"),
    path("new/", threads.new, name="new"),
    path("fold/", threads.fold, name="fold"),
    path("rename/", threads.rename, name="rename"),
    path("describe/", describing.describe, name="describe"),
    path("variant/", variants.variant, name="variant"),
    path("close/", threads.close, name="close"),
    path("watch/", watching.thread, name="watch-thread"),
    path("moderate/", acts.moderate_thread, name="moderate-thread"),
    path("split/", splitting.split, name="split"),
    path("outline/", outline.outline, name="outline"),
    path("outline.argdown", outline.argdown, name="outline-argdown"),
    path("outline.json", outline.as_json, name="outline-json"),
    path("read/", story.read, name="read"),
    path("since/<int:number>/", news.since, name="news"),
    path("feed/", feeds.thread, name="thread-feed"),
    path("read/feed/", feeds.story, name="story-feed"),
    path("epub/", takeaway.thread_epub, name="thread-epub"),
    path("fixture/", takeaway.thread_fixture, name="thread-fixture"),
    path("jump/", jumping.jump, name="jump"),
    path("preview.png", preview.thread_picture, name="thread-picture"),
    path("markdown/", takeaway.thread_markdown, name="thread-markdown"),
    path("<str:slug>/", threads.thread, name="thread"),
]

post_urls = [
    path("", posts.post, name="post"),
    path("report/", reports.report, name="report"),
    path("feed/", feeds.branch, name="branch-feed"),
    path("edit/", posts.edit, name="edit"),
    path("history/", history.history, name="history"),
    path("road/", road.road, name="road"),
    path("road/epub/", takeaway.road_epub, name="road-epub"),
    path("quotes/", road.quotes, name="quotes"),
    path("words/", while_writing.words, name="post-words"),
    path("quotes/<int:ordinal>/", comparing.quote, name="compare-quote"),
    path("withdraw/", posts.withdraw, name="withdraw"),
    path("release/", posts.release, name="release"),
    path("mark/", story.mark, name="mark"),
    path("argument/", arguments.argument, name="argument"),
    path("minds/", arguments.minds, name="minds"),
    path("poll/", polls.poll, name="poll"),
    path("poll/change/", polls.change, name="change-poll"),
    path("watch/", watching.post, name="watch-post"),
    path("bookmark/", bookmarks.bookmark, name="bookmark"),
    path("moderate/", acts.moderate_post, name="moderate-post"),
]

draft_urls = [
    path("", drafts.drafts, name="drafts"),
    path("save/", drafts.save, name="save-draft"),
    path("newest/", drafts.newest, name="newest-draft"),
    path("<uuid:token>/discard/", drafts.discard, name="discard-draft"),
]

notice_urls = [
    path("", notices.notices, name="notices"),
    path("read/", notices.read, name="read-notices"),
    path("<int:notice_id>/answer/", notices.answer, name="answer-act"),
]

watching_urls = [
    path("", watching.watching, name="watching"),
    path("stop/", watching.stop, name="stop-watching"),
    path("history/", watching.history, name="watch-history"),
]

own_feed_urls = [
    path("", own_feeds.own_feeds, name="own-feeds"),
    path("<str:feed_token>/watching/", own_feeds.watching, name="own-watching-feed"),
    path("<str:feed_token>/notices/", own_feeds.notices, name="own-notices-feed"),
    path("<str:feed_token>/boards/<slug:slug>/", own_feeds.board, name="own-board-feed"),
]

urlpatterns = [
    path("", boards.home, name="home"),
    path("feed/", feeds.forum, name="feed"),
    path("feeds/", include(own_feed_urls)),
    path("debates/", boards.debates, name="debates"),
    path("boards/<slug:slug>/", boards.board, name="board"),
    path("boards/<slug:slug>/feed/", feeds.board, name="board-feed"),
    path("boards/<slug:slug>/watch/", watching.board, name="watch-board"),
    path("read/", boards.mark_read, name="mark-read"),
    path("threads/new/", openings.start, name="start"),
    path("threads/<int:thread_id>/", include(thread_urls)),
    path("posts/<int:post_id>/", include(post_urls)),
    path("questions/", questions.questions, name="questions"),
    path("search/", search.search, name="search"),
    path("map/", maps.world, name="map"),
    path("search/feed/", feeds.search, name="search-feed"),
    path("search/offer/", search.offer, name="search-offer"),
    path("timeline/", timeline.timeline, name="timeline"),
    path("timeline/feed/", feeds.timeline, name="timeline-feed"),
    path("drafts/", include(draft_urls)),
    path("names/", while_writing.names, name="names"),
    path("notices/", include(notice_urls)),
    path("mail/", mail.choices, name="mail-settings"),
    path("mail/again/", mail.again, name="mail-again"),
    path("mail/stop/<str:signed>/", mail.stop, name="stop-mail"),
    path("watching/", include(watching_urls)),
    path("bookmarks/", bookmarks.bookmarks, name="bookmarks"),
    path("bookmarks/drop/", bookmarks.drop, name="drop-bookmark"),
    path("standing/", standing.standing, name="standing"),
    path("standing/name/", standing.name, name="change-name"),
    path("members/<str:username>/", members.member, name="member"),
    path("members/<str:username>/debates/", members.debates, name="member-debates"),
    path("members/<str:username>/feed/", feeds.member, name="member-feed"),
    path("members/<str:username>/ignore/", members.ignore, name="ignore"),
    path("members/<str:username>/watch/", watching.member, name="watch-member"),
    path("help/", site.help_contents, name="help"),
    path("help/<slug:name>/", site.help_page, name="help"),
    path("rules/", site.rules, name="rules"),
    path("log/", log.log, name="log"),
    path("log/<int:entry_id>/undo/", acts.undo, name="undo"),
    path("transparency/", transparency.transparency, name="transparency"),
    path("transparency/figures.json", transparency.as_json, name="transparency-json"),
    path("contact/", site.page, {"kind": "contact"}, name="page"),
    path("privacy/", site.page, {"kind": "privacy"}, name="page"),
    path("imprint/", site.page, {"kind": "imprint"}, name="page"),
    path("pictures/", pictures.add, name="add-picture"),
    path("pictures/<str:picture_key>/", pictures.picture, name="picture"),
    path("pictures/<str:picture_key>/<str:name>", pictures.file, name="picture-file"),
    path("glossary/", site.glossary, name="glossary"),
    path("keys/", site.keys, name="keys"),
    path("theme/", site.theme, name="theme"),
    path("api/", description.page, name="api"),
    path("api/openapi.json", description.as_json, name="api-description"),
    path("api/", include(patterns)),
    path("accounts/close/", closing.close, name="leave"),
    path("accounts/data/", own_data.own_data, name="own-data"),
    path("accounts/data/file/", own_data.file, name="own-data-file"),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path(".well-known/security.txt", robots.security, name="security"),
    path(".well-known/change-password", robots.change_password, name="new-password"),
    path("robots.txt", robots.robots, name="robots"),
    path("sitemap.xml", robots.sitemap, name="sitemap"),
    path("sitemap-<int:part>.xml", robots.sitemap_part, name="sitemap-part"),
    path("healthz", site.healthz, name="healthz"),
    path("readyz", site.readyz, name="readyz"),
    path("metrics", site.metrics, name="metrics"),
]
if settings.MAIL_WEBHOOK_SECRET:
    from forum.mailing import webhooks  # an extra, which most sites do without

    urlpatterns.append(webhooks.urls)

handler400 = errors.bad_request
handler403 = errors.refused
handler404 = errors.not_found
handler429 = errors.too_many  # asked for by allauth
handler500 = errors.server_error
