"""Files on their way in: how much of a request is read at all."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

from core.counting import counted


class Bounded(FileUploadHandler):
    """Refuses a request whose files are larger than any that is taken, before they fill the disk.
    It stands before the handlers that keep them."""

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None):
        """Raise RequestDataTooBig by what the request says of its length; the server holds it to
        that."""
        most = settings.PICTURE_MB * 1024 * 1024 + settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if content_length > most:
            raise RequestDataTooBig(f"{counted(content_length, 'byte,bytes')}, at most {most:,}")

    def receive_data_chunk(self, raw_data, start):
        """Leave all of it to the next handler."""
        return raw_data

    def file_complete(self, file_size):
        """Leave the end to it as well."""
        return None
