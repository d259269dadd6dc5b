//! The configuration as its users meet it: layers, mistakes, exit codes, and files that must not rot.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use spangraph::config::{
    self, ByteSize, Config, ConfigError, Machine, Origin, Resolved, SECTIONS, Sources,
};

const MACHINE: Machine = Machine {
    cgroup_memory_max: None,
    ram: Some(ByteSize(16 << 30)),
};

fn file(text: &str) -> Sources {
    Sources {
        file: Some((PathBuf::from("test.yaml"), text.to_owned())),
        ..Sources::default()
    }
}

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn resolve(sources: &Sources) -> Result<Resolved, ConfigError> {
    Config::resolve(sources, &MACHINE)
}

fn message(sources: &Sources) -> String {
    resolve(sources).expect_err("this is wrong").to_string()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn run(arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spangraph"));
    command
        .env_clear()
        .envs(env.iter().copied())
        .args(arguments);
    command.output().expect("the binary starts")
}

/// Scenario: the same key in more and more layers.
/// Guarantees: defaults < file < environment < `--set` < flags.
#[test]
fn each_layer_overrides_the_one_below() {
    let mut sources = Sources::default();
    let level = |sources: &Sources| {
        let resolved = resolve(sources).unwrap();
        let setting = resolved.settings.iter().find(|s| s.path == "log.level");
        setting
            .map(|s| (s.value.clone(), s.origin.clone()))
            .unwrap()
    };
    assert_eq!(level(&sources), ("info".into(), Origin::Default));
    sources.file = Some(("test.yaml".into(), "log:\n  level: warn\n".into()));
    assert_eq!(level(&sources), ("warn".into(), Origin::File { line: 2 }));
    sources.env = env(&[("SPANGRAPH_LOG__LEVEL", "error")]);
    assert_eq!(
        level(&sources),
        ("error".into(), Origin::Env("SPANGRAPH_LOG__LEVEL".into()))
    );
    sources.set = vec!["log.level=trace".into(), "log.level=debug".into()];
    assert_eq!(level(&sources), ("debug".into(), Origin::Set));
    sources.flags = vec![("--log-level", "log.level", "info".into())];
    assert_eq!(
        level(&sources),
        ("info".into(), Origin::Flag("--log-level"))
    );
}

#[test]
fn values_arrive_parsed() {
    let text = "receiver: {grpc: {listen: '[::]:4317'}}\npairing: {wait: 1m30s, shared_ids: never, match_low64: true}\n\
                api:\n  hosts:\n    - graph.example.org\n    - b\nlimits: {memory: 512MiB}\nhealth: {failing_failed_ratio: 0.5}\n";
    let config = resolve(&file(text)).unwrap().config;
    assert_eq!(config.grpc.listen, "[::]:4317".parse().unwrap());
    assert_eq!(config.pairing.wait, Duration::from_secs(90));
    assert_eq!(config.pairing.shared_ids, config::SharedIds::Never);
    assert!(config.pairing.match_low64);
    assert_eq!(config.api.hosts, ["graph.example.org", "b"]);
    assert_eq!(config.limits.memory, ByteSize(536_870_912));
    assert!((config.health.failing_failed_ratio - 0.5).abs() < f64::EPSILON);
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_line() {
    let wrong = message(&file("pairing:\n  wait: 5s\n\n  wiat: 3s\n"));
    assert!(
        wrong.contains("`pairing.wiat` (file, line 4)") && wrong.contains("messaging_wait"),
        "{wrong}"
    );
    let wrong = message(&file("pairing:\n  wait: soon\n"));
    assert!(
        wrong.contains("bad value `soon` for `pairing.wait` (file, line 2)"),
        "{wrong}"
    );
    let wrong = message(&file("tls: on\n"));
    assert!(
        wrong.contains("unknown key `tls` (file, line 1); the sections are receiver"),
        "{wrong}"
    );
    let wrong = message(&file("pairing: 5s\n"));
    assert!(
        wrong.contains("`pairing` (file, line 1) is a section"),
        "{wrong}"
    );
    let wrong = message(&file("log:\n  level: info\nlog:\n  level: warn\n"));
    assert!(
        wrong.contains("`log` is written twice (lines 1 and 3)"),
        "{wrong}"
    );
    let wrong = message(&file("log: [\n"));
    assert!(
        wrong.contains("test.yaml") && wrong.contains("line 1"),
        "{wrong}"
    );
    let wrong = message(&file("pairing: {wait: {a: 1}}\n"));
    assert!(
        wrong.contains("for `pairing.wait` (file, line 1): expected a duration"),
        "{wrong}"
    );
}

#[test]
fn a_mistake_after_set_is_named() {
    let set = |text: &str| Sources {
        set: vec![text.to_owned()],
        ..Sources::default()
    };
    assert!(message(&set("pairing.wiat=1s")).contains("unknown key `pairing.wiat` (--set)"));
    assert!(
        message(&set("graph.max_nodes=-1"))
            .contains("bad value `-1` for `graph.max_nodes` (--set)")
    );
    assert!(message(&set("graph.max_nodes")).contains("must look like"));
    assert!(message(&set("pairing.wait=2h")).contains("must be between 1s and 1h"));
    assert!(message(&set("limits.memory=20000000TiB")).contains("64 bits"));
    assert!(message(&set("health.degraded_failed_ratio=nan")).contains("expected a number"));
}

/// Scenario: what Kubernetes puts into every pod of a namespace that has a Service `spangraph`.
/// Guarantees: none of it is read, none of it is an error; a name of ours with a typo is reported.
#[test]
fn only_the_environment_of_our_own_keys_is_read() {
    let sources = Sources {
        env: env(&[
            ("SPANGRAPH_PORT", "tcp://10.0.0.1:4317"),
            ("SPANGRAPH_SERVICE_HOST", "10.0.0.1"),
            ("SPANGRAPH_PORT_4317_TCP_ADDR", "10.0.0.1"),
            ("SPANGRAPH_PAIRING__WIAT", "1s"),
            ("SPANGRAPH_PAIRING__RETAIN", ""),
            ("OTEL_SERVICE_NAME", "shop"),
            ("SPANGRAPH_RECEIVER__GRPC__LISTEN", "[::1]:0"),
        ]),
        ..Sources::default()
    };
    let resolved = resolve(&sources).unwrap();
    assert_eq!(resolved.ignored_env, ["SPANGRAPH_PAIRING__WIAT"]);
    assert_eq!(resolved.config.grpc.listen, "[::1]:0".parse().unwrap());
    assert_eq!(resolved.config.pairing.retain, Duration::from_mins(1));
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    assert!(
        message(&file(
            "health: {degraded_failed_ratio: 0.2, failing_failed_ratio: 0.1}"
        ))
        .contains("must not be above")
    );
    assert!(
        message(&file("limits: {memory: 100MiB, pairing: 101MiB}"))
            .contains("`limits.memory` (100MiB)")
    );
    assert!(message(&file("api: {listen: '127.0.0.1:4317'}")).contains("are both 127.0.0.1:4317"));
    let free = "receiver: {grpc: {listen: '127.0.0.1:0'}, http: {listen: '127.0.0.1:0'}}";
    assert!(resolve(&file(free)).is_ok());
}

/// Guarantees: an origin that no browser would ever send, or that any page can have, is refused and says why.
#[test]
fn origins_are_as_browsers_send_them() {
    let set = |text: &str| Sources {
        set: vec![format!("api.cors_origins={text}")],
        ..Sources::default()
    };
    let two = resolve(&set("https://grafana.example,http://[::1]:3000"));
    let two = two.unwrap().config.api.cors_origins.0;
    assert_eq!(two, ["https://grafana.example", "http://[::1]:3000"]);
    for (origin, why) in [
        ("*", "`*` would let every page"),
        ("null", "`null` is what any sandboxed page"),
        ("grafana.example", "is no origin"),
        ("https://", "is no origin"),
        ("https://:443", "is no origin"),
        ("https://a.example:", "is no origin"),
        ("https://a b", "is no origin"),
        ("https://*.example", "is no origin"),
        ("https://a.example/", "leave out what follows"),
        ("https://a.example/path", "leave out what follows"),
        ("https://me@a.example", "leave out what follows"),
        ("https://A.example", "has capitals"),
        ("https://a.example:443", "the usual port"),
        ("http://a.example:80", "the usual port"),
    ] {
        let said = message(&set(&format!("https://b.example,{origin}")));
        assert!(said.contains(why), "{origin}: {said}");
    }
    let many = vec!["https://a.example"; 65].join(",");
    assert!(message(&set(&many)).contains("has 65 origins; at most 64"));
}

/// Guarantees: the shares follow `limits.memory` at 35, 30, 20 and 15 %, one at a time when overridden.
#[test]
fn shares_follow_the_memory_they_are_shares_of() {
    let limits = resolve(&file("limits: {memory: 1000MiB, history: 100MiB}"))
        .unwrap()
        .config
        .limits;
    let mib = |size: ByteSize| size.0 >> 20;
    let shares = [
        limits.pairing,
        limits.history,
        limits.in_flight,
        limits.graph,
    ];
    assert_eq!(shares.map(mib), [350, 100, 200, 150]);
    assert_eq!(limits.max_connections, 3_200);
}

#[test]
fn the_default_memory_follows_the_machine() {
    let memory = |cgroup: Option<u64>, ram: Option<u64>| {
        let gib = |n: u64| ByteSize(n << 30);
        let machine = Machine {
            cgroup_memory_max: cgroup.map(gib),
            ram: ram.map(gib),
        };
        machine.default_memory().0 >> 20
    };
    assert_eq!(memory(Some(1), Some(16)), 819);
    assert_eq!(memory(None, Some(16)), 2_048);
    assert_eq!(memory(None, Some(2)), 1_024);
    assert_eq!(
        memory(Some(8), Some(2)),
        1_024,
        "a limit above the RAM limits nothing"
    );
    assert_eq!(memory(None, None), 2_048);
}

/// Scenario: a process two groups deep, the tightest limit on the middle one.
#[test]
fn the_tightest_cgroup_above_the_process_counts() {
    let root = std::env::temp_dir().join(format!("spangraph-cgroup-{}", std::process::id()));
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("proc/self/cgroup", "0::/pod/container\n");
    write("proc/meminfo", "MemTotal:       16384 kB\nMemFree: 1 kB\n");
    write("sys/fs/cgroup/pod/container/memory.max", "max\n");
    write("sys/fs/cgroup/pod/memory.max", "1048576\n");
    write("sys/fs/cgroup/memory.max", "8388608\n");
    let machine = Machine::read(&root);
    fs::remove_dir_all(&root).unwrap();
    assert_eq!(machine.cgroup_memory_max, Some(ByteSize(1 << 20)));
    assert_eq!(machine.ram, Some(ByteSize(16 << 20)));
}

/// Guarantees: what `print-config` prints, loaded as a file, is the same configuration.
#[test]
fn the_printed_configuration_loads_as_the_same() {
    let text = "receiver: {http: {listen: '[::1]:0'}}\npairing: {wait: 1500ms, retain: 90s}\napi: {hosts: [a, b], cors_origins: ['http://[::1]:3000', https://a.example], tokens_file: 'ü \"x\": #'}\n\
                limits: {memory: 123456789}\nhealth: {degraded_failed_ratio: 0.001}\n\
                ingest:\n  ignore:\n    - {service: 'a/*', kind: server}\n    - span_name: \"# \\\"q\\\", {\\t}: 'ü'\"\n";
    let first = resolve(&file(text)).unwrap();
    let again = resolve(&file(&first.to_yaml())).unwrap();
    assert_eq!(first.config, again.config);
    for setting in &again.settings {
        assert!(
            matches!(setting.origin, Origin::File { .. }),
            "{} was not printed",
            setting.path
        );
    }
}

/// Guarantees: the example file names every key and every key with its default.
#[test]
fn the_example_file_is_the_defaults() {
    let text = fs::read_to_string(repository("deploy/config.example.yaml")).unwrap();
    let defaults = resolve(&Sources::default()).unwrap();
    let example = resolve(&file(&text)).unwrap();
    assert_eq!(example.config, defaults.config);
    let told = |path: &str| text.contains(&format!("{}:", path.rsplit('.').next().unwrap()));
    for key in SECTIONS.iter().flat_map(|section| section.keys) {
        assert!(told(key.path), "{} is missing", key.path);
    }
    assert_eq!(
        text,
        config::example(),
        "renew it: spangraph print-config --example > deploy/config.example.yaml"
    );
}

/// Guarantees: the reference users read is the table the parser reads. `UPDATE_DOCS=1` renews it.
#[test]
fn the_reference_is_the_table() {
    let path = repository("docs/OPERATING.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("<!-- keys -->\n").unwrap();
    let (within, after) = rest.split_once("<!-- /keys -->").unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let renewed = format!(
            "{before}<!-- keys -->\n{}<!-- /keys -->{after}",
            config::reference()
        );
        fs::write(path, renewed).unwrap();
    } else {
        assert_eq!(
            within,
            config::reference(),
            "renew it: UPDATE_DOCS=1 cargo test --test config"
        );
    }
}

#[test]
fn exit_codes_tell_usage_from_configuration() {
    let code = |arguments: &[&str]| run(arguments, &[]).status.code();
    assert_eq!(code(&["check-config"]), Some(0));
    assert_eq!(code(&["check-config", "--bogus"]), Some(2));
    assert_eq!(
        code(&["check-config", "--set", "pairing.wait=0s"]),
        Some(78)
    );
    assert_eq!(code(&["serve", "--config", "/does/not/exist"]), Some(78));
    assert_eq!(
        code(&["health", "--url", "http://127.0.0.1:1/readyz"]),
        Some(1)
    );
    assert_eq!(code(&["health", "--url", "nonsense"]), Some(1));
}

#[test]
fn the_environment_can_name_the_file() {
    let path = std::env::temp_dir().join(format!("spangraph-config-{}.yaml", std::process::id()));
    fs::write(&path, "pairing: {wait: 7s}\n").unwrap();
    let shown = run(
        &["print-config"],
        &[("SPANGRAPH_CONFIG", path.to_str().unwrap())],
    );
    fs::remove_file(&path).unwrap();
    assert!(
        String::from_utf8(shown.stdout)
            .unwrap()
            .contains("wait: 7s")
    );
}
