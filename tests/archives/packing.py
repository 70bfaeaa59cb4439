"""Archives of every kind, made at run time."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import zstandard

NAME = "etc/app.env"


def zipped(data: bytes, name: str = NAME, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def tarred(data: bytes, name: str = NAME, form: int = tarfile.PAX_FORMAT, **fields: object) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        for field, value in fields.items():
            setattr(member, field, value)
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


def loose(data: bytes) -> bytes:
    return zlib.compress(b"blob %d\0" % len(data) + data)


STREAMS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
    "zlib": zlib.compress,
    "loose": loose,
}
CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "zip": zipped,
    "stored-zip": lambda data: zipped(data, method=zipfile.ZIP_STORED),
    "bzip2-zip": lambda data: zipped(data, method=zipfile.ZIP_BZIP2),
    "ustar": lambda data: tarred(data, form=tarfile.USTAR_FORMAT),
    "pax": tarred,
    "gnu": lambda data: tarred(data, form=tarfile.GNU_FORMAT),
    "tar.gz": lambda data: gzip.compress(tarred(data)),
    "tar.xz": lambda data: lzma.compress(tarred(data)),
}
