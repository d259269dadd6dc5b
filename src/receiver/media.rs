//! Reading `Content-Type` and `Content-Encoding` as bytes: header values need not be text.

use ::http::{HeaderMap, HeaderValue, header};

use super::Encoding;
use super::inflate::Compression;

/// The encoding a request's media type names; parameters and case do not matter.
pub(super) fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let essence = essence(headers)?;
    if essence.eq_ignore_ascii_case(b"application/x-protobuf") {
        Some(Encoding::Protobuf)
    } else if essence.eq_ignore_ascii_case(b"application/json") {
        Some(Encoding::Json)
    } else {
        None
    }
}

/// Whether it is gRPC with protobuf messages: `application/grpc` or `application/grpc+proto`.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    essence(headers).is_some_and(|essence| {
        essence.eq_ignore_ascii_case(b"application/grpc")
            || essence.eq_ignore_ascii_case(b"application/grpc+proto")
    })
}

/// The one content coding of an HTTP body. `None`: one we do not read, or several.
pub(super) fn content_coding(headers: &HeaderMap) -> Option<Compression> {
    let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
    let first = values.next();
    if values.next().is_some() {
        return None;
    }
    let coding = first.map_or(&b""[..], trimmed).to_ascii_lowercase();
    match coding.as_slice() {
        b"" | b"identity" => Some(Compression::Identity),
        #[cfg(feature = "gzip")]
        b"gzip" | b"x-gzip" => Some(Compression::Gzip),
        // By RFC 9110 this is the zlib format; some senders call it that.
        #[cfg(feature = "gzip")]
        b"deflate" | b"zlib" => Some(Compression::Zlib),
        #[cfg(feature = "zstd")]
        b"zstd" => Some(Compression::Zstd),
        _ => None,
    }
}

/// What a gRPC message with the compressed flag is compressed by. `None`: something we do not read.
pub(super) fn grpc_encoding(headers: &HeaderMap) -> Option<Compression> {
    match headers.get("grpc-encoding").map_or(&b""[..], trimmed) {
        b"" | b"identity" => Some(Compression::Identity),
        #[cfg(feature = "gzip")]
        b"gzip" => Some(Compression::Gzip),
        #[cfg(feature = "zstd")]
        b"zstd" => Some(Compression::Zstd),
        _ => None,
    }
}

/// What [`content_coding`] reads, for `Accept-Encoding`.
pub(super) const CONTENT_CODINGS: &str = match (cfg!(feature = "gzip"), cfg!(feature = "zstd")) {
    (true, true) => "gzip, zstd, deflate",
    (true, false) => "gzip, deflate",
    (false, true) => "zstd",
    (false, false) => "identity",
};

/// What [`grpc_encoding`] reads, for `grpc-accept-encoding`.
pub(super) const GRPC_ENCODINGS: &str = match (cfg!(feature = "gzip"), cfg!(feature = "zstd")) {
    (true, true) => "gzip,zstd,identity",
    (true, false) => "gzip,identity",
    (false, true) => "zstd,identity",
    (false, false) => "identity",
};

fn essence(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::CONTENT_TYPE)?.as_bytes();
    let end = value.iter().position(|&byte| byte == b';');
    Some(value[..end.unwrap_or(value.len())].trim_ascii())
}

fn trimmed(value: &HeaderValue) -> &[u8] {
    value.as_bytes().trim_ascii()
}
