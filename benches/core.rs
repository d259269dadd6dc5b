//! Walk, walk + pair + record + seal, and prost's full decode, in one run: `cargo bench --bench core`.
//!
//! All under mimalloc, which is worth 1.7x to prost and nothing to the walk, so the ratios are honest. The three take
//! turns and medians are printed, since the machine may be shared; ratios are what transfers. Time is simulated at a
//! rate that keeps the store holding its whole `wait`; the effective figures are printed beside.

#![expect(clippy::print_stdout, reason = "a bench prints its result")]
#![expect(clippy::cast_precision_loss, reason = "display only")]

#[path = "../tests/common/counting.rs"]
mod counting;
#[path = "../tests/common/otlp_gen.rs"]
mod otlp_gen;

use std::hint::black_box;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use spangraph::clock::{Clock, Timestamp};
use spangraph::core::{Core, CoreConfig, Scratch};
use spangraph::otlp::{self, Encoding, ResourceKeys};
use spangraph::pairing::Rules;
use spangraph::proto::Origin;

#[global_allocator]
static ALLOCATOR: counting::Counting<mimalloc::MiMalloc> = counting::Counting(mimalloc::MiMalloc);

/// Requests of 512 spans; one pass over them is `PASS_S` simulated seconds.
const REQUESTS: usize = 400;
const PASS_S: u64 = 2;
const WARM_UP: u64 = 60;
const ROUNDS: u64 = 21;

/// Encoded requests whose trace ids can be made new without encoding again.
struct Requests {
    encoded: Vec<Vec<u8>>,
    trace_ids: Vec<(usize, usize)>,
}

struct Engine {
    core: Core,
    scratch: Scratch,
    now_ns: u64,
}

fn main() {
    let mut requests = Requests::new(otlp_gen::encoded(1, REQUESTS));
    let clock = Clock::start();
    let mut engine = Engine::new(60);
    let mut rows = otlp::Scratch::default();
    for round in 0..WARM_UP {
        requests.renew(round);
        engine.pass(&requests);
    }
    let mut times = [const { Vec::new() }; 4];
    let mut allocations = Vec::new();
    for round in 0..ROUNDS {
        requests.renew(WARM_UP + round);
        times[0].push(time(&clock, || {
            requests.each(|request| walk(request, &mut rows));
        }));
        times[1].push(time(&clock, || {
            requests.each(|request| read(request, &mut rows));
        }));
        times[2].push(time(&clock, || allocations.push(engine.pass(&requests))));
        times[3].push(time(&clock, || requests.each(decode)));
    }
    report(&requests, &engine, &mut times, &mut allocations);
    drop(engine);
    report_bytes();
}

/// What a million spans, eight to a trace, cost while all of them wait, and once all of them are remembered, indexes
/// included.
fn report_bytes() {
    let traces = REQUESTS * otlp_gen::SPANS_PER_REQUEST / 8;
    let mut requests = Requests::new(otlp_gen::whole_traces(1, traces));
    let mut engine = Engine::new(10);
    for round in 0..5 {
        requests.renew(round);
        engine.pass(&requests);
        // All of them within the first one's wait.
        engine.now_ns -= (PASS_S - 1) * 1_000_000_000;
    }
    let held = engine.core.gauges().pairing;
    engine.now_ns += 15_000_000_000;
    black_box(engine.core.advance(Timestamp::from_unix_ns(engine.now_ns)));
    let remembered = engine.core.gauges().pairing;
    println!(
        "waiting: {:.1} bytes each of {}; remembered: {:.1} bytes each of {}  (targets 96 and 32)",
        held.bytes as f64 / held.held as f64,
        held.held,
        remembered.bytes as f64 / remembered.tombstones as f64,
        remembered.tombstones
    );
    assert_eq!((held.tombstones, remembered.held), (0, 0));
}

fn report(
    requests: &Requests,
    engine: &Engine,
    times: &mut [Vec<u64>; 4],
    allocations: &mut [u64],
) {
    let spans = (REQUESTS * otlp_gen::SPANS_PER_REQUEST) as f64;
    let [walk, read, whole, prost] = times.each_mut().map(|times| median(times) as f64 / spans);
    let bytes: usize = requests.encoded.iter().map(Vec::len).sum();
    let gauges = engine.core.gauges().pairing;
    println!(
        "bytes per span                        {:9.1}",
        bytes as f64 / spans
    );
    println!("walk                                  {walk:9.1} ns/span");
    println!("walk, every span read                 {read:9.1} ns/span");
    println!(
        "walk + pair + record + seal           {whole:9.1} ns/span   {:.2} M spans/s",
        1_000.0 / whole
    );
    println!("prost full decode                     {prost:9.1} ns/span");
    println!("walk / prost                          {:9.3}", walk / prost);
    println!(
        "walk + pair + record + seal / prost   {:9.3}           (target 0.30)",
        whole / prost
    );
    println!(
        "allocations in apply, median pass     {:9}           ({} spans, {PASS_S} seals)",
        median(allocations),
        spans
    );
    println!(
        "held {} spans, {} tombstones, {} bytes",
        gauges.held, gauges.tombstones, gauges.bytes
    );
    println!("evicted {}", engine.core.totals().evicted);
}

// === impl Requests ===

impl Requests {
    fn new(encoded: Vec<Vec<u8>>) -> Self {
        let mut trace_ids = Vec::new();
        for (index, request) in encoded.iter().enumerate() {
            let decoded =
                ExportTraceServiceRequest::decode(request.as_slice()).expect("we encoded it");
            let mut from = 0;
            for span in decoded
                .resource_spans
                .iter()
                .flat_map(|r| &r.scope_spans)
                .flat_map(|s| &s.spans)
            {
                let found = request[from..]
                    .windows(16)
                    .position(|w| w == span.trace_id)
                    .expect("it is there");
                from += found;
                trace_ids.push((index, from));
                from += 16;
            }
        }
        Self { encoded, trace_ids }
    }

    /// Gives every trace another id: the same spans again would be duplicates.
    fn renew(&mut self, round: u64) {
        let [low, high, ..] = (round ^ round.wrapping_sub(1)).to_le_bytes();
        for &(request, at) in &self.trace_ids {
            self.encoded[request][at + 3] ^= low;
            self.encoded[request][at + 4] ^= high;
        }
    }

    fn each(&self, mut work: impl FnMut(&[u8])) {
        for request in &self.encoded {
            work(request);
        }
    }
}

// === impl Engine ===

impl Engine {
    fn new(messaging_wait: u32) -> Self {
        let now_ns = 1_795_395_600_000_000_000;
        let config = CoreConfig {
            resource_keys: ResourceKeys::default(),
            rules: Rules {
                wait: 10,
                messaging_wait,
                retain: 60,
                ..Rules::default()
            },
            pairing_bytes: 4 << 30,
            shards: 16,
            max_nodes: 10_000,
            max_edges: 100_000,
            idle_s: 15 * 60,
            digest: String::new(),
        };
        Self {
            core: Core::new(config, Origin::default(), Timestamp::from_unix_ns(now_ns)),
            scratch: Scratch::default(),
            now_ns,
        }
    }

    /// Applies all requests and seals what completes meanwhile. Returns how often applying, sealing apart, asked for
    /// memory.
    fn pass(&mut self, requests: &Requests) -> u64 {
        let step_ns = PASS_S * 1_000_000_000 / requests.encoded.len() as u64;
        let mut allocations = 0;
        requests.each(|request| {
            self.now_ns += step_ns;
            let at = Timestamp::from_unix_ns(self.now_ns);
            black_box(self.core.advance(at));
            let before = counting::allocations();
            self.core
                .apply(request, Encoding::Protobuf, &mut self.scratch, at)
                .expect("it is well formed");
            allocations += counting::allocations() - before;
        });
        allocations
    }
}

fn walk(request: &[u8], rows: &mut otlp::Scratch) {
    let counts = otlp::walk(request, &ResourceKeys::default(), rows, &mut |chunk| {
        black_box(chunk.len());
    });
    black_box(counts.is_ok());
}

fn read(request: &[u8], rows: &mut otlp::Scratch) {
    let counts = otlp::walk(request, &ResourceKeys::default(), rows, &mut |chunk| {
        for span in chunk.spans() {
            black_box(&span);
        }
    });
    black_box(counts.is_ok());
}

fn decode(request: &[u8]) {
    black_box(ExportTraceServiceRequest::decode(request).is_ok());
}

fn time(clock: &Clock, work: impl FnOnce()) -> u64 {
    let start = clock.now().mono_ns;
    work();
    clock.now().mono_ns - start
}

fn median(times: &mut [u64]) -> u64 {
    times.sort_unstable();
    times[times.len() / 2]
}
