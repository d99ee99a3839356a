# The forum with gunicorn. Build: docker build -t jonbar . Settings come from the environment.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    JONBAR_ENV_FILE=/dev/null JONBAR_DATA=/data BIND=0.0.0.0:8000
WORKDIR /srv/jonbar
COPY requirements/base.txt requirements/base.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/base.txt
COPY manage.py ./
COPY accounts accounts
COPY core core
COPY deploy/gunicorn.conf.py deploy/gunicorn.conf.py
COPY docs/help docs/help
COPY fixtures fixtures
COPY forum forum
COPY static static
COPY templates templates
COPY templates_django templates_django
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin jonbar && mkdir /data && chown jonbar /data
USER jonbar
# Names with hashes need the files; the key signs nothing here.
RUN SECRET_KEY=build ALLOWED_HOSTS=build DATABASE_URL=sqlite://:memory: \
    python manage.py collectstatic --no-input -v0
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["gunicorn", "--config", "deploy/gunicorn.conf.py", "forum.wsgi"]
