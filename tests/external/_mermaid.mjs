// Parses the Mermaid texts named as arguments with Mermaid itself, in its default configuration, draws them too if the
// first argument is `draw`, and says what it found, as one JSON list on standard output. jsdom is the page; it measures
// no text, so sizes are made up.
import fs from 'node:fs';
import { JSDOM } from 'jsdom';

const page = new JSDOM('<!doctype html><body></body>', { url: 'http://localhost/', pretendToBeVisual: true }).window;
for (const name of Object.getOwnPropertyNames(page)) {
  if (!(name in globalThis)) globalThis[name] = page[name];
}
globalThis.window = page;
const width = (element) => (element.textContent ?? '').length * 8;
page.SVGElement.prototype.getBBox = function () { return { x: 0, y: 0, width: width(this), height: 16 }; };
page.SVGElement.prototype.getComputedTextLength = function () { return width(this); };

const { default: mermaid } = await import('mermaid');
mermaid.initialize({ startOnLoad: false });

const firstLine = (label) => label.querySelector('p')?.firstChild?.textContent ?? '';
const MARKUP = 'a,script,img,image,iframe,i,em,strong,b,code,pre,math,ul,ol,h1,[onerror],[onclick]';

async function parsed(text) {
  const { diagramType } = await mermaid.parse(text);
  const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
  return {
    type: diagramType,
    length: text.length,
    maxTextSize: mermaid.mermaidAPI.defaultConfig.maxTextSize,
    maxEdges: mermaid.mermaidAPI.defaultConfig.maxEdges,
    shapes: Object.fromEntries([...db.getVertices().values()].map((v) => [v.id, v.type])),
    edges: db.getEdges().map((e) => [e.start, e.end]),
  };
}

async function drawn(text) {
  const { svg } = await mermaid.render('drawing', text);
  const document = new JSDOM(svg).window.document;
  const nodes = [...document.querySelectorAll('g.node')];
  const id = (node) => /flowchart-(n\d+)-/.exec(node.id)[1];
  return {
    title: document.querySelector('.flowchartTitleText').textContent,
    nodeLabels: Object.fromEntries(nodes.map((node) => [id(node), firstLine(node.querySelector('.nodeLabel'))])),
    frameLabels: [...document.querySelectorAll('g.cluster .nodeLabel')].map(firstLine),
    markup: [...document.querySelectorAll(MARKUP)].map((e) => e.outerHTML),
  };
}

const [what, ...paths] = process.argv.slice(2);
const results = [];
for (const path of paths) {
  const text = fs.readFileSync(path, 'utf8');
  results.push({ ...(await parsed(text)), ...(what === 'draw' ? await drawn(text) : {}) });
}
console.log(JSON.stringify(results));
