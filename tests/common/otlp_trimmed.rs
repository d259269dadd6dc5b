//! OTLP's trace messages with everything as `bytes` that the walker does not look into.

#![allow(
    unreachable_pub,
    clippy::struct_field_names,
    reason = "a private module of tests, in OTLP's names"
)]

use prost::{Message, Oneof};

#[derive(Message)]
pub struct Request {
    #[prost(message, repeated, tag = "1")]
    pub resource_spans: Vec<ResourceSpans>,
}

#[derive(Message)]
pub struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    pub resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub scope_spans: Vec<ScopeSpans>,
    #[prost(bytes = "vec", tag = "3")]
    pub schema_url: Vec<u8>,
}

#[derive(Message)]
pub struct Resource {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub attributes: Vec<Vec<u8>>,
    #[prost(uint32, tag = "2")]
    pub dropped_attributes_count: u32,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub entity_refs: Vec<Vec<u8>>,
}

#[derive(Message)]
pub struct ScopeSpans {
    #[prost(bytes = "vec", tag = "1")]
    pub scope: Vec<u8>,
    #[prost(message, repeated, tag = "2")]
    pub spans: Vec<Span>,
    #[prost(bytes = "vec", tag = "3")]
    pub schema_url: Vec<u8>,
}

#[derive(Message)]
pub struct Span {
    #[prost(bytes = "vec", tag = "1")]
    pub trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub trace_state: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub parent_span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    pub name: Vec<u8>,
    #[prost(int32, tag = "6")]
    pub kind: i32,
    #[prost(fixed64, tag = "7")]
    pub start: u64,
    #[prost(fixed64, tag = "8")]
    pub end: u64,
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub attributes: Vec<Vec<u8>>,
    #[prost(uint32, tag = "10")]
    pub dropped_attributes_count: u32,
    #[prost(bytes = "vec", repeated, tag = "11")]
    pub events: Vec<Vec<u8>>,
    #[prost(uint32, tag = "12")]
    pub dropped_events_count: u32,
    #[prost(bytes = "vec", repeated, tag = "13")]
    pub links: Vec<Vec<u8>>,
    #[prost(uint32, tag = "14")]
    pub dropped_links_count: u32,
    #[prost(message, optional, tag = "15")]
    pub status: Option<Status>,
    #[prost(fixed32, tag = "16")]
    pub flags: u32,
}

#[derive(Message)]
pub struct Status {
    #[prost(bytes = "vec", tag = "2")]
    pub message: Vec<u8>,
    #[prost(int32, tag = "3")]
    pub code: i32,
}

#[derive(Message)]
pub struct Link {
    #[prost(bytes = "vec", tag = "1")]
    pub trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub trace_state: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub attributes: Vec<Vec<u8>>,
    #[prost(uint32, tag = "5")]
    pub dropped_attributes_count: u32,
    #[prost(fixed32, tag = "6")]
    pub flags: u32,
}

/// An attribute nobody wants: its value is not looked into.
#[derive(Message)]
pub struct NameOnly {
    #[prost(bytes = "vec", tag = "1")]
    pub key: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub value: Vec<Vec<u8>>,
    #[prost(int32, tag = "3")]
    pub key_strindex: i32,
}

/// An attribute somebody wants.
#[derive(Message)]
pub struct Attribute {
    #[prost(bytes = "vec", tag = "1")]
    pub key: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    pub value: Option<AnyValue>,
    #[prost(int32, tag = "3")]
    pub key_strindex: i32,
}

#[derive(Message)]
pub struct AnyValue {
    #[prost(oneof = "value::Value", tags = "1, 2, 3, 4, 5, 6, 7, 8")]
    pub value: Option<value::Value>,
}

pub mod value {
    use super::Oneof;

    #[derive(Oneof)]
    pub enum Value {
        #[prost(string, tag = "1")]
        Text(String),
        #[prost(bool, tag = "2")]
        Bool(bool),
        #[prost(int64, tag = "3")]
        Int(i64),
        #[prost(double, tag = "4")]
        Double(f64),
        #[prost(bytes = "vec", tag = "5")]
        Array(Vec<u8>),
        #[prost(bytes = "vec", tag = "6")]
        KvList(Vec<u8>),
        #[prost(bytes = "vec", tag = "7")]
        Bytes(Vec<u8>),
        #[prost(int32, tag = "8")]
        StringIndex(i32),
    }
}
