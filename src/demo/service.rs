//! What a service of the shop is, and how what runs it reports.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::attributes::text;

/// One service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) language: Language,
    /// Instance `i` runs version `i`, the last version all further ones: two versions are a rollout.
    pub(super) versions: &'static [&'static str],
    pub(super) instances: u8,
}

/// What it is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Cpp,
    Dotnet,
    Go,
    Java,
    NodeJs,
    Python,
    Rust,
}

/// Which semantic conventions its instrumentation follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conventions {
    /// 1.39: `http.request.method`, `server.address`, `db.system.name`.
    New,
    /// 1.20 and before, as much of the world still sends: `http.method`, `net.peer.name`, `db.system`.
    Old,
}

/// How it exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Grpc,
    Http,
}

// === impl Service ===

impl Service {
    /// Its resource as the SDK of one of its instances sends it.
    pub(super) fn resource(&self, instance: u8) -> Resource {
        let version = self.versions.get(usize::from(instance));
        let version = version.or(self.versions.last()).copied();
        let (language, sdk) = self.language.sdk();
        let pod = format!("{}-{:04x}", self.name, self.pod(instance));
        let attributes: Vec<KeyValue> = vec![
            text("service.name", self.name),
            text("service.namespace", self.namespace),
            text("service.version", version.unwrap_or("0.0.0")),
            text("service.instance.id", pod.clone()),
            text("telemetry.sdk.name", "opentelemetry"),
            text("telemetry.sdk.language", language),
            text("telemetry.sdk.version", sdk),
            text("k8s.namespace.name", self.namespace),
            text("k8s.pod.name", pod),
        ];
        Resource {
            attributes,
            ..Resource::default()
        }
    }

    /// The host others call it at.
    pub(super) fn host(&self) -> String {
        format!("{}.{}.svc.cluster.local", self.name, self.namespace)
    }

    /// Something that looks like a pod's suffix (FNV-1a).
    fn pod(&self, instance: u8) -> u16 {
        let bytes = self.name.bytes().chain([instance]);
        let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        u16::try_from(hash >> 16).unwrap_or_default()
    }
}

// === impl Language ===

impl Language {
    /// `telemetry.sdk.language` and `telemetry.sdk.version`.
    fn sdk(self) -> (&'static str, &'static str) {
        match self {
            Self::Cpp => ("cpp", "1.22.0"),
            Self::Dotnet => ("dotnet", "1.12.0"),
            Self::Go => ("go", "1.38.0"),
            Self::Java => ("java", "1.53.0"),
            Self::NodeJs => ("nodejs", "1.15.2"),
            Self::Python => ("python", "1.20.0"),
            Self::Rust => ("rust", "0.33.0"),
        }
    }

    pub(super) fn conventions(self) -> Conventions {
        match self {
            Self::NodeJs | Self::Python => Conventions::Old,
            Self::Cpp | Self::Dotnet | Self::Go | Self::Java | Self::Rust => Conventions::New,
        }
    }

    pub(super) fn transport(self) -> Transport {
        match self {
            Self::Cpp | Self::Go | Self::Python | Self::Rust => Transport::Grpc,
            Self::Dotnet | Self::Java | Self::NodeJs => Transport::Http,
        }
    }

    /// Name of the instrumentation scope.
    pub(super) fn scope(self) -> &'static str {
        match self {
            Self::Cpp => "envoy",
            Self::Dotnet => "Microsoft.AspNetCore",
            Self::Go => "go.opentelemetry.io/contrib/instrumentation",
            Self::Java => "io.opentelemetry.java-agent",
            Self::NodeJs => "@opentelemetry/instrumentation",
            Self::Python => "opentelemetry.instrumentation",
            Self::Rust => "tracing-opentelemetry",
        }
    }
}
