// Returns complaints about the page: what axe would find that matters here.
(() => {
  const complaints = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll("main *")].find((e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest(".scroll, .hidden, pre"));
    complaints.push(`scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}, ${wide && wide.outerHTML.slice(0, 120)}`);
  }

  const parse = (s) => s.match(/[\d.]+/g).map(Number);
  const luminance = (c) => {
    const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const known = new Map(); // most elements share their ancestors
  const background = (e) => {
    if (!e) return [255, 255, 255];
    if (!known.has(e)) {
      const c = parse(getComputedStyle(e).backgroundColor);
      known.set(e, c.length === 3 || c[3] === 1 ? c.slice(0, 3) : background(e.parentElement));
    }
    return known.get(e);
  };
  const poor = new Set();
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility() || ["SCRIPT", "STYLE", "OPTION"].includes(e.tagName)) continue;
    const style = getComputedStyle(e);
    const [a, b] = [luminance(parse(style.color).slice(0, 3)), luminance(background(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) poor.add(`contrast ${ratio.toFixed(2)} of ${e.tagName}.${e.className} "${e.textContent.trim().slice(0, 30)}"`);
    if (size < 12) poor.add(`letters of ${size} px in ${e.tagName}.${e.className}`);
  }
  complaints.push(...[...poor].slice(0, 8));

  for (const e of document.querySelectorAll("input, select")) {
    if (!e.labels.length) complaints.push(`no label: ${e.outerHTML}`);
  }
  for (const e of document.querySelectorAll("[aria-labelledby]")) {
    if (!document.getElementById(e.getAttribute("aria-labelledby"))) complaints.push(`label is missing: ${e.getAttribute("aria-labelledby")}`);
  }
  for (const e of document.querySelectorAll("[role=img], [role=region]")) {
    if (!e.getAttribute("aria-label") && !e.getAttribute("aria-labelledby")) complaints.push(`no name: ${e.outerHTML.slice(0, 80)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) complaints.push(`id ${id} twice`);
  for (const a of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(a.hash.slice(1))) complaints.push(`link to nowhere: ${a.hash}`);
  }
  let level = 0;
  for (const h of document.querySelectorAll("h1, h2, h3")) {
    const now = Number(h.tagName[1]);
    if (now > level + 1) complaints.push(`heading level skipped before "${h.textContent}"`);
    level = now;
  }
  if (document.querySelectorAll("h1").length !== 1) complaints.push("not exactly one h1");
  for (const svg of document.querySelectorAll("svg path")) {
    if (/NaN|Infinity/.test(svg.getAttribute("d"))) complaints.push(`broken path in ${svg.closest("figure").textContent.slice(0, 60)}`);
  }
  return complaints;
})()
