//! Folding by address, on hand-built slices: what may be missed, what must never be made up.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod read_support;

use read_support::{World, build};
use spangraph::proto::{ConnectionType, StringSet};

/// A window in which services lie behind addresses, and `web` calls external nodes at addresses. Addresses are one
/// letter each, so that their order is that of the alphabet.
#[derive(Default)]
struct Window {
    services: Vec<(&'static str, &'static str, bool)>,
    called: Vec<(&'static str, &'static str, bool)>,
    logical: bool,
}

// === impl Window ===

impl Window {
    /// A service behind these addresses, perhaps behind more than listed.
    fn service(mut self, name: &'static str, addresses: &'static str, more: bool) -> Self {
        self.services.push((name, addresses, more));
        self
    }

    /// An external node called at these addresses, perhaps at more than listed.
    fn called(mut self, name: &'static str, addresses: &'static str, more: bool) -> Self {
        self.called.push((name, addresses, more));
        self
    }

    /// The edges as `server calls inferred`.
    fn edges(self) -> Vec<String> {
        let mut w = World::new();
        for address in 'a'..='z' {
            w.text(&address.to_string());
        }
        let set = |w: &mut World, addresses: &str, more| {
            let letters: Vec<String> = addresses.chars().map(String::from).collect();
            let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
            Some(StringSet {
                more,
                ..w.set(&letters)
            })
        };
        let web = w.service("web");
        for (name, addresses, more) in self.services {
            let node = w.service(name);
            w.slice.nodes[node as usize].addresses = set(&mut w, addresses, more);
        }
        for (name, addresses, more) in self.called {
            let node = w.virtual_node(&format!("external:{name}"));
            let addresses = set(&mut w, addresses, more);
            let edge = w.call((web, node), ConnectionType::VirtualNode, (0, 3), 1);
            edge.addresses = addresses;
            edge.logical_peer_calls = u64::from(self.logical);
        }
        let topology = build(&w.done(), "").unwrap();
        let edges = topology.edges.iter();
        let shown = |edge: &spangraph::topology::Edge| {
            let counted = &edge.counted;
            format!("{} {} {}", edge.server, counted.calls(), counted.inferred)
        };
        edges.map(shown).collect()
    }
}

fn window() -> Window {
    Window::default()
}

/// Guarantees: an address of one service is that service, and calls so folded are inferred.
#[test]
fn an_address_of_one_service_is_that_service() {
    let folded = window().service("app", "mn", false).called("x", "m", false);
    assert_eq!(folded.edges(), ["app 3 3"]);
    let both = window()
        .service("app", "mn", false)
        .called("x", "mn", false);
    assert_eq!(both.edges(), ["app 3 3"]);
    let two_names = window()
        .service("app", "mn", false)
        .called("x", "m", false)
        .called("y", "n", false);
    assert_eq!(two_names.edges(), ["app 6 6"]);
}

/// Guarantees: what is not certain stays as it was named.
#[test]
fn what_is_not_certain_is_not_folded() {
    let app = || window().service("app", "mn", false);
    let stays = ["external:x 3 0"];
    assert_eq!(app().called("x", "o", false).edges(), stays, "nobody's");
    assert_eq!(app().called("x", "", false).edges(), stays, "no address");
    assert_eq!(app().called("x", "mo", false).edges(), stays, "another too");
    assert_eq!(
        app().called("x", "m", true).edges(),
        stays,
        "more than listed"
    );
    let shared = app().service("pay", "m", false).called("x", "m", false);
    assert_eq!(shared.edges(), stays, "two services");
    let named = Window {
        logical: true,
        ..app().called("x", "m", false)
    };
    assert_eq!(named.edges(), stays, "a logical peer");
    let unknown = app().called("unknown", "m", false);
    assert_eq!(unknown.edges(), ["external:unknown 3 0"]);
}

/// Scenario: a service with more addresses than it lists, which are the smallest.
/// Guarantees: an address above those may be its own too, so it stands for nobody else; one among or below them is not.
#[test]
fn a_service_may_stand_behind_addresses_it_does_not_list() {
    let beside = |addresses| {
        window()
            .service("app", "cmz", false)
            .service("busy", addresses, true)
    };
    let stays = ["external:x 3 0"];
    assert_eq!(beside("bd").called("x", "m", false).edges(), stays);
    assert_eq!(beside("bd").called("x", "c", false).edges(), ["app 3 3"]);
    assert_eq!(beside("n").called("x", "m", false).edges(), ["app 3 3"]);
    assert_eq!(beside("n").called("x", "z", false).edges(), stays);
    assert_eq!(beside("bd").called("x", "d", false).edges(), ["busy 3 3"]);
    let two = beside("bd").service("also", "e", true);
    assert_eq!(two.called("x", "d", false).edges(), ["busy 3 3"]);
}
