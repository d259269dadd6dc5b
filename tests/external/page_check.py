#!/usr/bin/env python3
"""The live page in a real browser, under the daemon's own path and behind a proxy that adds a prefix.

What is on the page is what the API says, for services with names that try to be markup; nothing ever breaks the policy,
opens a dialog or logs an error. Streams, pausing, addresses, the keyboard and the empty states work as they say.
"""

import http.client
import json
import urllib.parse
from decimal import ROUND_HALF_UP, Decimal

from _daemon import Daemon, until
from _hostile import NAMES, Served, hidden, kept
from _page import Page, Proxy, browser, call, lost, send

WINDOW = "#window=15m"


def shown(value, unit):
    """A figure as people read it, written a second time."""
    if value is None:
        return "–"
    number = Decimal(value)
    if unit == "%":
        number *= 100
    elif unit == " ms" and number >= 1000:
        number, unit = number / 1000, " s"
    for least, step in (("9.95", "1"), ("0.995", "0.1"), ("0.0995", "0.01"), ("0", "0.001")):
        if number >= Decimal(least):
            break
    return f"{number.quantize(Decimal(step), ROUND_HALF_UP) if number else 0:,}{unit}"


def edge_cells(edge):
    side = lambda name, key: shown((edge["latency"][name] or {}).get(key), " ms")
    return [
        edge["connection_type"] or "call", shown(edge["rate_per_s"], "/s"), f"{edge['calls']:,}", f"{edge['failed']:,}", shown(edge["failed_ratio"], "%"),
        side("client", "p50_ms"), side("client", "p95_ms"), side("client", "p99_ms"), side("server", "p95_ms"), side("gap", "p95_ms"), side("queue", "p95_ms"),
    ]


def node_cells(node):
    latency = node["latency"] or {}
    figures = [shown(latency.get(key), " ms") for key in ("p50_ms", "p95_ms", "p99_ms")]
    return [node["type"], shown(node["rate_per_s"], "/s"), f"{node['calls']:,}", f"{node['failed']:,}", shown(node["failed_ratio"], "%"),
            *figures, f"{node['calls_from']['unpaired']:,}"]


def graph(daemon, query):
    status, body = daemon.get(f"/api/v1/topology?{query}")
    assert status == 200, body
    return json.loads(body)


def paused(page, daemon):
    """The graph that a paused page shows."""
    page.page.click("#pause")
    page.wait("document.getElementById('live').textContent.startsWith('❚❚ paused at')")
    parameters = {key: value for key, value in page.params().items() if key in ("window", "at", "group_by")}
    return graph(daemon, urllib.parse.urlencode({**parameters, "include": "layout"}))


def check_hostile(started):
    """Every node and edge of a graph full of hostile names, as the API has them, behind a prefix."""
    with Served() as served:
        proxy = Proxy(served.daemon.api, "/a/pre%20fix")
        page = Page(started, f"{proxy.url}/ui{WINDOW}")
        assert page.page.url == f"{proxy.url}/ui/{WINDOW}", page.page.url
        page.wait("(n) => document.querySelectorAll('#world .node').length === n", len(served.body["nodes"]))
        body = paused(page, served.daemon)
        nodes = {node["id"]: node for node in body["nodes"]}
        assert page.places() == {id: f"translate({n['layout']['x']:g} {n['layout']['y']:g})" for id, n in nodes.items()}
        labels = page.page.evaluate("[...document.querySelectorAll('#world .node')].map((n) => n.getAttribute('aria-label') + n.textContent).join('')")
        assert not any(hidden(c) for c in labels), "a control or an override reaches the eye"
        page.page.click("[data-view=table]")
        rows = page.rows()
        assert {id: cells[3:] for id, cells in rows.items()} == {edge["id"]: edge_cells(edge) for edge in body["edges"]}
        page.page.click("[data-table=nodes]")
        page.wait("(n) => document.querySelectorAll('#table tbody tr').length === n", len(nodes))
        assert {id: cells[3:-1] for id, cells in page.rows().items()} == {id: node_cells(node) for id, node in nodes.items()}
        check_panels(page, nodes)
        check_measured(page, body)
        check_hiding(page, nodes)
        assert all(path.startswith("/a/pre%20fix/ui") or path.startswith("/a/pre%20fix/api/v1/") for path in proxy.asked), "everything is relative"
        page.close()
        proxy.stop()
    print(f"{len(nodes)} nodes and {len(rows)} edges with hostile names are those of the API")


def check_panels(page, nodes):
    """Each service of a hostile name opens, and its panel names it and nothing else."""
    services = [node for node in nodes.values() if node["type"] == "service"]
    for node in services:
        page.page.evaluate("(id) => [...document.querySelectorAll('#table tr')].find((r) => r.dataset.id === id).querySelector('button').click()", node["id"])
        page.wait("(calls) => [...document.querySelectorAll('#panel dd')].some((d) => d.textContent === calls)", f"{node['calls']:,}")
        title = page.page.text_content("#panel h2")
        visible = not any(hidden(c) for c in node["name"]) and "é" * 9 not in node["name"]
        assert not visible or title == node["name"], (title, node["name"])
    assert len(services) == len(set(map(kept, NAMES))) + 1
    assert page.page.evaluate("document.querySelectorAll('#panel script, #panel img, #panel b, #world script').length") == 0


def check_measured(page, body):
    """An edge to a database names the client as who measured, one between services both sides."""
    page.page.click("[data-table=edges]")
    for kind, measured in (("database", ["client"]), ("", ["client", "server", "gap"])):
        edge = next(e for e in body["edges"] if e["connection_type"] == kind)
        page.page.evaluate("(id) => [...document.querySelectorAll('#table tr')].find((r) => r.dataset.id === id).querySelector('button').click()", edge["id"])
        page.wait("(sides) => [...document.querySelectorAll('#panel abbr')].map((a) => a.textContent).join() === sides", ",".join(measured))
        captions = page.page.evaluate("[...document.querySelectorAll('#panel figcaption')].map((f) => f.textContent.split(':')[0])")
        assert captions == measured, (kind, captions)


def check_hiding(page, nodes):
    """A node whose name is full of what is special in globs is hidden, and nobody else is."""
    special = [node for node in nodes.values() if node["type"] == "service" and set(node["name"]) & set("*[]{}")]
    gone = set()
    page.page.click("[data-view=map]")
    for node in special:
        page.page.evaluate("(id) => [...document.querySelectorAll('#world .node')].find((n) => n.dataset.id === id).dispatchEvent(new Event('click'))", node["id"])
        page.wait("(calls) => [...document.querySelectorAll('#panel dd')].some((d) => d.textContent === calls)", f"{node['calls']:,}")
        page.page.click("#panel [data-key=hide]")
        gone.add(node["id"])
        page.wait("(n) => document.querySelectorAll('#world .node').length === n", len(nodes) - len(gone))
        assert set(page.places()) == set(nodes) - gone, node["id"]
    assert len(gone) >= 5, gone
    print(f"{len(gone)} nodes with special characters are hidden one by one")


def shop(daemon):
    """Five services in a row and a fork, one edge failing, one caller that is not seen."""
    calls = [("shop/web", "shop/cart")] * 6 + [("shop/cart", "shop/stock")] * 4 + [("shop/web", "shop/pay")] * 3
    send(daemon, [call(*ends) for ends in calls] + [call("shop/pay", "bank/ledger", True), lost("shop/stock")])
    return until(lambda: (g := daemon.topology()) and len(g["edges"]) == 4 and not g["law"]["pending_after"] and g or None, 20, daemon.topology)


def check_live(started, daemon):
    """A service that comes moves nobody, a paused page stays, a resumed one catches up."""
    page = Page(started, f"http://{daemon.api}/{WINDOW}")
    assert page.page.url == f"http://{daemon.api}/ui/{WINDOW}", "a browser is led to the page"
    page.wait("document.querySelectorAll('#world .node').length === 5 && document.getElementById('live').textContent === '● live'")
    before, world = page.places(), page.page.get_attribute("#world", "transform")
    send(daemon, [call("shop/cart", "shop/late")] * 1)
    page.wait("document.querySelectorAll('#world .node').length === 6")
    after = page.places()
    assert {id: after[id] for id in before} == before and "shop/late" in after
    assert page.page.get_attribute("#world", "transform") == world, "the view moved by itself"
    assert "late appeared" in page.page.text_content("#news")
    page.page.click("#pause")
    page.wait("location.hash.includes('at=')")
    send(daemon, [call("shop/cart", "shop/later")])
    until(lambda: any(n["id"] == "shop/later" for n in daemon.topology()["nodes"]) or None, 20, lambda: "never there")
    streams = lambda: json.loads(daemon.get("/api/v1/status")[1])["streams"]["open"]
    until(lambda: streams() == 0 or None, 20, lambda: f"a paused page still has {streams()} streams")
    assert "shop/later" not in page.places(), "a paused page stays as it is"
    page.page.click("#pause")
    page.wait("document.querySelectorAll('#world .node').length === 7")
    page.close()
    print("a new service appears beside the others, pausing holds and resuming catches up")


def check_connection(started, daemon):
    """A cut connection is said, and mended; without room for a stream the page asks."""
    proxy = Proxy(daemon.api, "/p")
    page = Page(started, f"{proxy.url}/ui/{WINDOW}")
    live = lambda text: page.wait("(t) => document.getElementById('live').textContent.startsWith(t)", text)
    live("● live")
    proxy.cut = True
    live("↻ reconnecting, as of ")
    proxy.cut = False
    live("● live")
    page.wrong = [line for line in page.wrong if "ERR_" not in line]
    page.close()
    others = list(fill_streams(daemon))
    assert 8 <= len(others) <= 16, len(others)
    page = Page(started, f"http://{daemon.api}/ui/#window=10m")
    live("● asking every 5 s")
    page.wait("document.querySelectorAll('#world .node').length === 7")
    for answer in others:
        answer.close()
    live("● live")
    page.wrong = [line for line in page.wrong if "503" not in line]
    page.close()
    proxy.stop()
    print("a cut connection is said and mended; without room for a stream the page asks instead")


def fill_streams(daemon):
    """Streams of different questions, until there is room for no more."""
    for number in range(1, 40):
        connection = http.client.HTTPConnection(daemon.api, timeout=20)
        connection.request("GET", f"/api/v1/stream?min_calls={number}&every=60s", headers={"Connection": "close"})
        answer = connection.getresponse()
        if answer.status != 200:
            return
        yield answer


def check_address(started, daemon):
    """The address alone brings a view back."""
    page = Page(started, f"http://{daemon.api}/ui/{WINDOW}")
    page.wait("document.querySelectorAll('#world .node').length === 7")
    page.page.select_option("[name=label]", "client.p95_ms")
    page.page.fill("[name=exclude]", "bank/*")
    page.page.press("[name=exclude]", "Enter")
    page.wait("document.querySelectorAll('#world .node').length === 6")
    assert page.page.text_content("#hidden").startswith("1 node, 1 edge hidden")
    page.page.click("#world [data-id='shop/cart']")
    page.wait("document.querySelector('#panel h2').textContent === 'cart'")
    page.page.click("[data-zoom=in]")
    page.wait("location.hash.includes('camera=')")
    look = lambda: (page.params(), page.places(), page.page.get_attribute("#world", "transform"), page.page.input_value("[name=label]"),
                    page.page.text_content("#panel h2"), page.page.text_content("#chips"))
    before = look()
    page.page.reload()
    page.wait("document.querySelectorAll('#world .node').length === 6 && document.querySelector('#panel h2')?.textContent === 'cart'")
    assert look() == before, (before, look())
    page.page.go_back()
    page.wait("document.getElementById('panel').hidden")
    page.page.goto(f"http://{daemon.api}/ui/{WINDOW}&focus=shop/pay&up=1&down=0&view=table&sort=client,up")
    page.wait("document.querySelectorAll('#table tbody tr').length === 1")
    page.page.goto(f"http://{daemon.api}/ui/{WINDOW}&group_by=namespace")
    page.wait("document.querySelectorAll('#world .node').length === 2")
    page.page.click("#world [data-id='namespace:bank']")
    page.page.click("#panel [data-key=hide]")
    page.wait("document.querySelectorAll('#world .node').length === 1")
    page.close()
    print("an address brings filters, selection, label and camera back")


def check_keyboard(started, daemon):
    """One tab stop for all nodes; arrows, Shift and arrows, Enter, Escape; the slash searches."""
    page = Page(started, f"http://{daemon.api}/ui/{WINDOW}")
    page.wait("document.querySelectorAll('#world .node').length === 7")
    assert page.page.evaluate("document.querySelectorAll('#world [tabindex=\"0\"]').length") == 1
    page.page.focus("#stage")
    page.page.keyboard.press("Tab")
    assert page.focused() == "shop/web", page.focused()
    page.page.keyboard.press("Shift+ArrowRight")
    first = page.focused()
    assert first in ("shop/cart", "shop/pay"), first
    page.page.keyboard.press("ArrowLeft")
    assert page.focused() == "shop/web"
    seen = {page.focused()}
    for key in ["ArrowRight", "ArrowUp", "ArrowUp", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowDown"]:
        page.page.keyboard.press(key)
        seen.add(page.focused())
    assert len(seen) >= 5 and None not in seen, seen
    here = page.focused()
    page.page.keyboard.press("Enter")
    page.wait("(id) => [...document.querySelectorAll('#panel dd')].some((d) => d.textContent === id)", here)
    page.page.keyboard.press("Escape")
    page.wait("document.getElementById('panel').hidden")
    assert page.focused() == here, "Escape leads back to the node"
    page.page.keyboard.press("/")
    page.page.keyboard.type("STOCK")
    page.wait("document.querySelectorAll('#world .node:not(.dim)').length === 1")
    page.page.keyboard.press("Enter")
    page.wait("document.querySelector('#panel h2')?.textContent === 'stock'")
    found, stage = (page.page.locator(of).bounding_box() for of in ("#world [data-id='shop/stock'] .outline", "#stage"))
    for start, size in (("x", "width"), ("y", "height")):
        assert abs(found[start] + found[size] / 2 - stage[start] - stage[size] / 2) < 3, (found, stage)
    page.page.keyboard.press("/")
    page.page.keyboard.type("nobody")
    page.page.keyboard.press("Enter")
    page.wait("document.getElementById('news').textContent === 'Nothing shown is called “nobody”'")
    page.page.keyboard.press("Escape")
    check_ways_back(page)
    page.page.click("#world [data-id='shop/stock']")
    page.page.click("#panel [data-key=unseen]")
    page.wait("document.querySelector('#unseen h3')?.textContent.startsWith('parent_not_seen')")
    assert "call <b>&amp;" in page.page.text_content("#unseen tbody")
    page.close()
    print(f"{len(seen)} of 7 nodes met by arrows; Enter, Escape and search work")


def check_ways_back(page):
    """A key leads to a node that is out of view and shows it; Escape leads from menu and panel to where one was; each focus is seen."""
    page.page.keyboard.press("Escape")
    page.page.focus("#stage")
    for _ in range(30):
        page.page.keyboard.press("ArrowLeft")
    within = """(() => { const [a, b] = ['#world [tabindex="0"] .outline', '#stage'].map((s) => document.querySelector(s).getBoundingClientRect());
        return a.left > b.left && a.right < b.right && a.top > b.top && a.bottom < b.bottom; })()"""
    page.wait(f"!{within}")
    page.page.keyboard.press("Tab")
    page.wait(within)
    ring = page.page.evaluate("(() => { const s = getComputedStyle(document.activeElement.querySelector('.outline')); return [s.strokeWidth, s.vectorEffect]; })()")
    assert ring == ["4px", "non-scaling-stroke"], ring
    page.page.focus("#export summary")
    page.page.keyboard.press("Enter")
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Escape")
    assert page.page.evaluate("!document.getElementById('export').open && document.activeElement === document.querySelector('#export summary')")
    page.page.click("[data-view=table]")
    page.page.focus("#table tbody tr:nth-child(2) button")
    page.page.keyboard.press("Enter")
    page.wait("!document.getElementById('panel').hidden")
    page.page.focus("#panel .close")
    page.page.keyboard.press("Escape")
    assert page.page.evaluate("document.activeElement === document.querySelector('#table tbody tr:nth-child(2) button')")
    page.page.click("[data-view=map]")
    page.page.click("[data-zoom=fit]")


def check_edge(started, daemon):
    """An edge on the canvas can be pointed at and opened."""
    page = Page(started, f"http://{daemon.api}/ui/{WINDOW}&exclude=bank/*&exclude=shop/p*&exclude=shop/l*&exclude=shop/stock")
    page.wait("document.querySelectorAll('#world .node').length === 2")
    boxes = [page.page.locator(f"#world [data-id='shop/{name}'] .outline").bounding_box() for name in ("web", "cart")]
    x = (boxes[0]["x"] + boxes[0]["width"] + boxes[1]["x"]) / 2
    y = sum(box["y"] + box["height"] / 2 for box in boxes) / 2
    page.page.mouse.move(x, y)
    page.wait("document.getElementById('tip').textContent.startsWith('web → cart')")
    page.page.mouse.click(x, y)
    page.wait("document.querySelector('#panel h2')?.textContent === 'web → cart'")
    assert page.page.evaluate("document.querySelectorAll('#panel .chart .bar').length > 0 && document.querySelectorAll('#panel code').length > 0")
    links = page.page.evaluate("[...document.querySelectorAll('#export a')].map((a) => a.href)")
    for link in links:
        status, _ = daemon.get(link.split(daemon.api)[1])
        assert status == 200 and "exclude=bank" in link, (status, link)
    page.close()
    print(f"an edge opens where it is drawn; {len(links)} exports answer")


def check_tips(started, daemon):
    """What is told of a node stands within the map and off its box, in a large view and in a small one, by mouse and by keyboard."""
    page = Page(started, f"http://{daemon.api}/ui/{WINDOW}")
    met = 0
    for size in ((1280, 800), (620, 520)):
        page.page.set_viewport_size({"width": size[0], "height": size[1]})
        page.page.click("[data-zoom=fit]")
        for id in page.places():
            box = page.page.locator(f"#world [data-id='{id}'] .outline").bounding_box()
            at = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
            if page.page.evaluate("([x, y]) => !document.elementFromPoint(x, y)?.closest('.node')", at):
                continue
            page.page.mouse.move(*at)
            check_tip(page, box)
            met += 1
    page.page.mouse.move(1, 1)
    page.page.focus("#stage")
    for key in ("Tab", "ArrowRight", "ArrowDown", "ArrowRight"):
        page.page.keyboard.press(key)
        check_tip(page, page.page.locator("#world .node:focus .outline").bounding_box())
    page.close()
    assert met >= 10, met
    print(f"{met + 4} tips stand beside their boxes, within the map")


def check_tip(page, box):
    """The tip is shown, and apart from a box, within the map."""
    page.wait("!document.getElementById('tip').hidden")
    tip, stage = (page.page.locator(of).bounding_box() for of in ("#tip", "#stage"))
    span = lambda area, start, size: (area[start], area[start] + area[size])
    sides = [[span(area, *axis) for axis in (("x", "width"), ("y", "height"))] for area in (tip, box, stage)]
    assert any(t[1] <= b[0] or b[1] <= t[0] for t, b in zip(sides[0], sides[1])), (tip, box)
    assert all(s[0] <= t[0] and t[1] <= s[1] for t, s in zip(sides[0], sides[2])), (tip, stage)


def check_looks(started, daemon):
    """Dark and light differ, and a phone needs no scrolling to the side."""
    grounds = set()
    for scheme in ("light", "dark"):
        page = Page(started, f"http://{daemon.api}/ui/", color_scheme=scheme, reduced_motion="reduce")
        grounds.add(page.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.page.set_viewport_size({"width": 360, "height": 740})
        for view in ("map", "table", "unseen"):
            page.page.click(f"[data-view={view}]")
            assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        page.close()
    assert len(grounds) == 2, grounds
    page = Page(started, f"http://{daemon.api}/ui/{WINDOW}", viewport={"width": 390, "height": 844}, has_touch=True)
    page.wait("document.querySelectorAll('#world .node').length === 7")
    stage = page.page.locator("#stage").bounding_box()
    boxes = {id: page.page.locator(f"#world [data-id='{id}'] .outline").bounding_box() for id in page.places()}
    inside = {id for id, box in boxes.items() if all(stage[at] <= box[at] and box[at] + box[size] <= stage[at] + stage[size]
                                                     for at, size in (("x", "width"), ("y", "height")))}
    assert "bank/ledger" in inside and len(inside) >= 5 and boxes["bank/ledger"]["width"] > 70, (inside, boxes)
    page.close()
    print("light, dark and a narrow screen, which shows first what fails, large enough to read")


def check_empty(started):
    """Why there is nothing: nothing sent, nothing paired, nothing left by filters, nobody of that name."""
    title = "(t) => !document.getElementById('empty').hidden && document.querySelector('#empty h2').textContent === t"
    with Daemon(**{"pairing.wait": "6s"}) as daemon:
        until(daemon.topology, 20, lambda: "no slice")
        page = Page(started, f"http://{daemon.api}/ui/")
        page.wait(title, "No spans yet")
        send(daemon, [lost("alone"), call("alone", "gone")[:1]])
        page.wait(title, "Spans wait for their other half")
        page.wait(title, "All spans are unpaired")
        page.page.click("#empty button")
        page.wait("document.querySelectorAll('#unseen tbody:first-of-type tr').length >= 2")
        page.close()
    with Daemon() as daemon:
        shop(daemon)
        page = Page(started, f"http://{daemon.api}/ui/#namespace=nobody")
        page.wait(title, "Every call is filtered out")
        page.page.click("#empty button")
        page.wait("document.getElementById('empty').hidden && document.querySelectorAll('#world .node').length === 5")
        page.close()
        page = Page(started, f"http://{daemon.api}/ui/#focus=nobody")
        page.wait(title, "It is not in this window")
        page.wrong = [line for line in page.wrong if "404" not in line]
        page.close()
    print("an empty map says why")


def check_policy(started, daemon):
    """The policy is at work, and the watch for its reports too: a page that broke it would be noticed."""
    page = Page(started, f"http://{daemon.api}/ui/")
    for crime in ("document.body.innerHTML = '<i>x</i>'", "document.body.append(Object.assign(document.createElement('img'), {src: 'http://127.0.0.1:9/x'}))",
                  "document.body.setAttribute('style', 'color: red')"):
        before = len(page.reports())
        page.page.evaluate(f"() => {{ try {{ {crime} }} catch {{}} }}")
        page.wait("(n) => window.reports.length > n", before)
    page.context.close()
    print("3 breaches of the policy are reported")


def main():
    with browser() as started:
        check_hostile(started)
        with Daemon() as daemon:
            shop(daemon)
            check_live(started, daemon)
            check_connection(started, daemon)
            for check in (check_address, check_keyboard, check_edge, check_tips, check_looks, check_policy):
                check(started, daemon)
            assert daemon.stop() == 0
        check_empty(started)


if __name__ == "__main__":
    main()
