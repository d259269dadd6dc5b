//! Inflating, bounded in bytes at every step.
//!
//! The declared size (gzip's trailer, zstd's frame header) sizes the buffer where it is plausible, else the buffer
//! doubles; either way its capacity is charged before it exists, and never passes the largest message.

#![cfg_attr(
    not(any(feature = "gzip", feature = "zstd")),
    allow(unused, clippy::unused_async, reason = "this build inflates nothing")
)]

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use super::Message;
use super::body::{invalid, room};
use super::refusal::Refusal;
use crate::net::Admission;
use crate::net::admission::STEP;

/// How a message is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Identity,
    #[cfg(feature = "gzip")]
    Gzip,
    #[cfg(feature = "gzip")]
    Zlib,
    #[cfg(feature = "zstd")]
    Zstd,
}

/// The message's bytes, inflated. The raw bytes and their permits go when it is done.
pub(super) async fn inflate(
    admission: &Arc<Admission>,
    message: Message,
    compression: Compression,
) -> Result<Message, Refusal> {
    let raw = &message.bytes[..];
    if raw.is_empty() && compression != Compression::Identity {
        return Err(invalid("the compressed body is empty"));
    }
    match compression {
        Compression::Identity => Ok(message),
        #[cfg(feature = "gzip")]
        Compression::Gzip => {
            let reader = flate2::bufread::MultiGzDecoder::new(raw);
            read_all(admission, reader, codecs::gzip_hint(raw), |_| true).await
        }
        #[cfg(feature = "gzip")]
        Compression::Zlib => {
            let reader = flate2::bufread::ZlibDecoder::new(raw);
            read_all(admission, reader, 0, |reader| reader.get_ref().is_empty()).await
        }
        #[cfg(feature = "zstd")]
        Compression::Zstd => {
            let reader = codecs::zstd(raw)?;
            read_all(admission, reader, codecs::zstd_hint(raw), |_| true).await
        }
    }
}

/// Reads `reader` to its end; `ended_well` then says whether nothing was left over.
async fn read_all<R: std::io::Read>(
    admission: &Arc<Admission>,
    mut reader: R,
    hint: usize,
    ended_well: impl Fn(&R) -> bool,
) -> Result<Message, Refusal> {
    let limit = admission.largest_message();
    let capacity = if hint == 0 { STEP } else { hint }.min(limit);
    let mut permit = admission.try_admit(capacity)?;
    let mut out = room(capacity)?;
    loop {
        if out.len() == out.capacity() {
            // Full may mean finished: a few bytes on the stack tell, without growing for nothing.
            let mut probe = [0; 64];
            let read = reader.read(&mut probe).map_err(|e| unreadable(&e))?;
            if read == 0 {
                break;
            }
            let capacity = (out.capacity() * 2).max(out.len() + STEP).min(limit);
            if out.len() + read > capacity {
                return Err(Refusal::TooLarge { limit });
            }
            permit.try_more(capacity - out.capacity())?;
            out.try_reserve_exact(capacity - out.len())
                .map_err(|_| Refusal::NoRoom)?;
            out.extend_from_slice(&probe[..read]);
        }
        let start = out.len();
        out.resize(out.capacity().min(start + STEP), 0);
        let read = reader.read(&mut out[start..]);
        let read = read.map_err(|e| unreadable(&e))?;
        out.truncate(start + read);
        if read == 0 {
            break;
        }
        // A large body must not keep this worker from everybody else's.
        if out.len() / STEP > start / STEP {
            tokio::task::yield_now().await;
        }
    }
    if !ended_well(&reader) {
        return Err(invalid("bytes follow the compressed body"));
    }
    Ok(Message {
        bytes: Bytes::from(out),
        permit,
    })
}

fn unreadable(error: &std::io::Error) -> Refusal {
    Refusal::Invalid(Cow::Owned(format!("the body does not inflate: {error}")))
}

/// What is particular to each format.
#[cfg(any(feature = "gzip", feature = "zstd"))]
mod codecs {
    #[cfg(feature = "zstd")]
    use super::{Refusal, unreadable};

    /// The most a deflate stream can grow: 1032 to 1. A trailer that claims more is not believed.
    #[cfg(feature = "gzip")]
    const DEFLATE_MAX_RATIO: usize = 1032;

    /// Largest zstd window, as a power of two: 8 MiB, what the format asks every decoder to read.
    #[cfg(feature = "zstd")]
    const ZSTD_WINDOW_LOG: u32 = 23;

    /// The size in a gzip stream's last four bytes: that of the last member, modulo 4 GiB. 0: nothing to believe.
    #[cfg(feature = "gzip")]
    pub(super) fn gzip_hint(raw: &[u8]) -> usize {
        let size = raw.last_chunk().copied().map_or(0, u32::from_le_bytes);
        let size = usize::try_from(size).unwrap_or(0);
        if size / DEFLATE_MAX_RATIO > raw.len() {
            0
        } else {
            size
        }
    }

    /// The size in the first frame's header. 0: none.
    #[cfg(feature = "zstd")]
    pub(super) fn zstd_hint(raw: &[u8]) -> usize {
        let size = zstd::zstd_safe::get_frame_content_size(raw).ok().flatten();
        usize::try_from(size.unwrap_or(0)).unwrap_or(0)
    }

    #[cfg(feature = "zstd")]
    pub(super) fn zstd(raw: &[u8]) -> Result<zstd::stream::read::Decoder<'static, &[u8]>, Refusal> {
        let mut reader =
            zstd::stream::read::Decoder::with_buffer(raw).map_err(|e| unreadable(&e))?;
        reader
            .window_log_max(ZSTD_WINDOW_LOG)
            .map_err(|e| unreadable(&e))?;
        Ok(reader)
    }
}
