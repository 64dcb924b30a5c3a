"""What tells films, sound and pictures: the ends of their names, and how they begin.

All that a person may have recorded is meant, not only what can be indexed: it can't be had again.
"""

from __future__ import annotations

__all__ = ["HEAD_BYTES", "RECORDED_SUFFIXES", "VIDEO_SUFFIXES", "is_media"]

VIDEO_SUFFIXES = frozenset(
    {
        *(".264", ".265", ".360", ".3g2", ".3gp", ".3gpp", ".asf", ".avi", ".dav", ".divx"),
        *(".dv", ".dvr-ms", ".f4v", ".flv", ".h264", ".h265", ".hevc", ".insv", ".m2t", ".m2ts"),
        *(".m2v", ".m4v", ".mj2", ".mjpeg", ".mkv", ".mod", ".mov", ".mp4", ".mpe", ".mpeg"),
        *(".mpg", ".mpv", ".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".tod"),
        *(".ts", ".vob", ".webm", ".wmv", ".wtv", ".y4m"),
    }
)

#: Of a file, what :func:`is_media` wants to see.
HEAD_BYTES = 4096

#: What is recorded and never indexed, or in a folder only when it is named: suffixes by their kind.
RECORDED_SUFFIXES = {
    "a video": frozenset(
        {
            *(".amv", ".ari", ".arx", ".av1", ".bik", ".braw", ".cin", ".cine", ".crm"),
            *(".dpx", ".evo", ".glv", ".gxf", ".insp", ".ismv", ".ivf", ".lrf", ".lrv", ".m1v"),
            *(".m4s", ".mjpg", ".mk3d", ".mlv", ".mpv2", ".nev", ".nsv", ".obu", ".r3d", ".swf"),
            *(".trp", ".vc1", ".vro", ".yuv"),
        }
    ),
    "a picture": frozenset(
        {
            *(".3fr", ".apng", ".arw", ".avif", ".avifs", ".bmp", ".cr2", ".cr3", ".crw", ".dcr"),
            *(".dib", ".dng", ".erf", ".exr", ".fff", ".gif", ".gpr", ".heic", ".heif", ".hif"),
            *(".iiq", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpf", ".jpg", ".jpx", ".jxl"),
            *(".jxr", ".kdc", ".mef", ".mng", ".mos", ".mpo", ".mrw", ".nef", ".nrw", ".orf"),
            *(".pef", ".png", ".psd", ".qoi", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf"),
            *(".srw", ".tga", ".thm", ".tif", ".tiff", ".wdp", ".webp", ".x3f", ".xcf"),
        }
    ),
    "sound": frozenset(
        {
            *(".3ga", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".amr", ".ape", ".au", ".awb"),
            *(".bwf", ".caf", ".dff", ".dsf", ".dts", ".eac3", ".flac", ".m4a", ".m4b", ".mid"),
            *(".midi", ".mka", ".mp2", ".mp3", ".oga", ".ogg", ".opus", ".ra", ".rf64", ".snd"),
            *(".spx", ".tta", ".w64", ".wav", ".weba", ".wma", ".wv"),
        }
    ),
}

# How files begin, in order of offset: what demuxers and readers of pictures look for. Nothing that
# a table, a list or a page of text could begin with.
_BEGINNINGS = (
    # Films.
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
    b"FLV\x01",
    b"\x00\x00\x01",  # MPEG program and elementary streams, H.264, icons
    b"\x00\x00\x00\x01",
    b".RMF",
    b"\x06\x0e\x2b\x34",  # MXF
    b"nut/multimedia container",
    b"YUV4MPEG2 ",
    b"DKIF",
    b"\x12\x00\x0a",  # AV1
    b"\x1f\x07\x00",  # DV
    b"\xb7\xd8\x00\x20\x37\x49\xda\x11",  # WTV
    b"DHAV",
    # Films as cameras keep them raw.
    b"MLVI",
    b"ARRI\x12\x34\x56\x78",
    b"ARRI\x78\x56\x34\x12",
    b"CI\x2c\x00",  # Phantom
    b"SDPX\x00",
    b"XPDS\x00",
    b"\x80\x2a\x5f\xd7",  # Cineon
    # Sound.
    b"OggS",
    b"ID3\x02",
    b"ID3\x03",
    b"ID3\x04",
    b"fLaC",
    b"riff\x2e\x91\xcf\x11",  # Wave64
    b"caff\x00\x01",
    b".snd\x00",
    b"#!AMR",
    b"wvpk",
    b"TTA1\x01\x00",
    b"MThd\x00\x00\x00\x06",
    b"DSD \x1c\x00\x00\x00",
    b"FRM8\x00",
    b"\x0b\x77",  # AC-3
    b"\x7f\xfe\x80\x01",  # DTS
    # Pictures.
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"\x8aMNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"\xff\x0a",  # JPEG XL
    b"\xff\x4f\xff\x51",  # JPEG 2000
    b"8BPS\x00",
    b"gimp xcf ",
    b"\x76\x2f\x31\x01",  # OpenEXR
    b"qoif\x00",
    # Pictures as cameras keep them raw; most are TIFF.
    b"II*\x00",
    b"MM\x00*",
    b"II+\x00",
    b"MM\x00+",
    b"II\xbc\x01",  # JPEG XR
    b"IIU\x00",  # Panasonic
    b"IIRO\x08\x00",  # Olympus
    b"IIRS\x08\x00",
    b"MMOR\x00\x00",
    b"II\x1a\x00\x00\x00HEAPCCDR",
    b"FUJIFILMCCD-RAW",
    b"FOVb",
    b"\x00MRM",
)
_RIFFS = (b"RIFF", b"RF64", b"BW64", b"RIFX")
_RIFF_KINDS = (b"AVI ", b"AVIX", b"WAVE", b"WEBP", b"RMID")
_FORM_KINDS = (b"AIFF", b"AIFC", b"8SVX", b"ILBM")
_BOXES = frozenset(
    {
        *(b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"wide", b"pnot", b"sidx"),
        *(b"jP  ", b"JXL ", b"RED1", b"RED2"),
    }
)
_EMPTY_BOXES = frozenset({b"free", b"skip"})
_BITMAP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})

# A transport stream says so every so many bytes, after a time code of four in Blu-ray's form.
_PACKETS = ((188, 0), (192, 4), (204, 0))
_SYNC = 0x47


def is_media(head: bytes) -> bool:
    """Whether a file that begins so is a film, sound or a picture.

    Args:
        head: the first ``HEAD_BYTES`` of a file, or all of a shorter one.
    """
    if head.startswith(_BEGINNINGS):
        return True
    if head.startswith(_RIFFS):
        return head[8:12] in _RIFF_KINDS
    if head.startswith(b"FORM"):
        return head[8:12] in _FORM_KINDS
    if head[4:8] in _BOXES or (head[4:8] in _EMPTY_BOXES and head[:1] == b"\0"):
        return True
    return _is_monkeys(head) or _is_frame_of_sound(head) or _is_bitmap(head) or _is_stream(head)


def _is_monkeys(head: bytes) -> bool:
    """Whether Monkey's Audio begins so: its letters, and a version as no text goes on."""
    return head.startswith(b"MAC ") and b"\x0e" <= head[5:6] <= b"\x0f"


def _is_frame_of_sound(head: bytes) -> bool:
    """Whether a frame of MPEG layer II or III, or of AAC in ADTS, comes first.

    The mark of little-endian UTF-16 is a frame of layer I to the letter, which nothing writes.
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    layer = head[1] >> 1 & 3
    if layer == 0:
        return head[1] & 0xF0 == 0xF0 and head[2] >> 2 & 15 < 13
    return layer != 3 and head[1] >> 3 & 3 != 1 and head[2] < 0xF0 and head[2] >> 2 & 3 != 3


def _is_bitmap(head: bytes) -> bool:
    return head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BITMAP_HEADERS


def _is_stream(head: bytes) -> bool:
    return any(
        len(head) > 2 * size + first
        and all(head[first + size * number] == _SYNC for number in range(3))
        for size, first in _PACKETS
    )
