// Draws the report's figures. Options are data: colours ("@c.trt") and functions
// ("@f.whisker") come as tokens and are resolved here, for light, dark, print
// and export alike.
(() => {
  const json = (id) => JSON.parse(document.getElementById(id).textContent);
  const palette = json('palette');
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const print = matchMedia('print');
  const font = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Liberation Sans',sans-serif";
  const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  const escape = (s) => String(s).replace(/[&<>"]/g, (c) => entities[c]);
  let printing = false;
  let exporting = false;

  const scheme = () => (!printing && !exporting && dark.matches ? 'dark' : 'light');
  const line = (x1, y1, x2, y2, style) => ({ type: 'line', shape: { x1, y1, x2, y2 }, style });

  // The functions that an option may name.
  const functions = {
    // A horizontal whisker with caps; value: [lo, hi, row].
    whisker(params, api) {
      const row = api.value(2);
      const [x1, y] = api.coord([api.value(0), row]);
      const [x2] = api.coord([api.value(1), row]);
      const style = { stroke: api.visual('color'), lineWidth: 1.6, fill: null };
      const bars = [line(x1, y, x2, y, style), line(x1, y - 4, x1, y + 4, style), line(x2, y - 4, x2, y + 4, style)];
      return { type: 'group', children: bars };
    },
    // A horizontal bar from 0; value: [length, row].
    bar(params, api) {
      const [x1, y] = api.coord([0, api.value(1)]);
      const [x2] = api.coord([api.value(0), api.value(1)]);
      return { type: 'rect', shape: { x: x1, y: y - 4.5, width: Math.max(x2 - x1, 1), height: 9 }, style: { fill: api.visual('color') } };
    },
    // A horizontal bar between two values, with a line from its end down to the
    // next row if there is one; value: [from, to, row, rows].
    step(params, api) {
      const row = api.value(2);
      const [x1, y] = api.coord([api.value(0), row]);
      const [x2] = api.coord([api.value(1), row]);
      const bar = { type: 'rect', shape: { x: Math.min(x1, x2) - 0.5, y: y - 6, width: Math.max(Math.abs(x2 - x1), 1) + 1, height: 12 }, style: { fill: api.visual('color') } };
      if (row + 1 >= api.value(3)) return bar;
      const down = line(x2, y + 6, x2, y + api.size([0, 1])[1] - 6, { stroke: palette[scheme()].ink3, lineWidth: 1, fill: null });
      return { type: 'group', children: [bar, down] };
    },
    // A band between two places of an axis; value: [x1, lo1, hi1, x2, lo2, hi2].
    band(params, api) {
      const at = (x, y) => api.coord([api.value(x), api.value(y)]);
      return { type: 'polygon', shape: { points: [at(0, 1), at(3, 4), at(3, 5), at(0, 2)] }, style: { fill: api.visual('color'), opacity: 0.13 } };
    },
    // The broken-axis mark at the left end of an axis that does not start at zero.
    brk(params) {
      const x = params.coordSys.x;
      const y = params.coordSys.y + params.coordSys.height;
      const p = palette[scheme()];
      const style = { stroke: p.ink2, lineWidth: 1.2 };
      const gap = { type: 'rect', shape: { x: x + 3, y: y - 3, width: 8, height: 6 }, style: { fill: p.bg } };
      return { type: 'group', children: [gap, line(x + 1, y + 5, x + 5, y - 5, style), line(x + 8, y + 5, x + 12, y - 5, style)] };
    },
    tip(params) {
      const hint = params.data && params.data.hint;
      if (!hint) return '';
      const cell = escape(hint.c);
      const foot = hint.c ? `<br><code>cell ${cell} · bench show ${cell}</code>` : '';
      return `<b>${escape(hint.l[0])}</b>` + hint.l.slice(1).map((l) => '<br>' + escape(l)).join('') + foot;
    },
    text: (params) => params.data.text || '',
    minus: (v) => String(v).replace('-', '\u2212'),
    power: (v) => (v >= 0 && v < 4 ? String(10 ** v) : '1e' + String(v).replace('-', '\u2212')),
    kilo: (v) => (v >= 1e6 ? v / 1e6 + ' M' : v >= 1000 ? v / 1000 + ' k' : String(v)),
    sci: (v) => (v >= 1 ? String(v) : String(+v.toPrecision(1))),
  };

  function resolve(v, mode) {
    if (typeof v === 'string') {
      const table = { '@c.': palette[mode], '@f.': functions }[v.slice(0, 3)];
      const name = v.slice(3);
      return table && Object.hasOwn(table, name) ? table[name] : v;
    }
    if (Array.isArray(v)) return v.map((x) => resolve(x, mode));
    if (v && typeof v === 'object') return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, resolve(x, mode)]));
    return v;
  }

  function styleAxis(a, p) {
    const value = a.type !== 'category';
    a.axisLabel = { color: p.ink2, fontSize: 12, ...a.axisLabel };
    a.nameTextStyle = { color: p.ink2, fontSize: 12, ...a.nameTextStyle };
    a.axisTick = { show: false, ...a.axisTick };
    a.axisLine = { show: value, lineStyle: { color: p.ink3 }, ...a.axisLine };
    a.splitLine = { show: value, lineStyle: { color: p.hair }, ...a.splitLine };
    a.minorSplitLine = { show: false };
  }

  // The options of a figure for a width and a colour scheme, in the order in
  // which they are to be set.
  function build(el, width, mode) {
    const data = json('o-' + el.id);
    const p = palette[mode];
    const o = resolve(data.option, mode);
    o.animation = false;
    o.textStyle = { fontFamily: font, color: p.ink2, fontSize: 12 };
    o.backgroundColor = 'transparent';
    o.tooltip = {
      trigger: 'item',
      confine: true,
      formatter: functions.tip,
      backgroundColor: p.bg,
      borderColor: p.ink3,
      borderWidth: 1,
      padding: [6, 9],
      textStyle: { color: p.ink, fontSize: 12.5 },
      extraCssText: 'box-shadow:none;border-radius:2px',
    };
    [o.xAxis, o.yAxis].flat().forEach((a) => styleAxis(a, p));
    for (const s of o.series) for (const d of s.data) if (d.t !== undefined) d.hint = data.tips[d.t];
    return data.narrow && width < data.narrow.below ? [o, resolve(data.narrow.option, mode)] : [o];
  }

  function draw(el, width) {
    const old = echarts.getInstanceByDom(el);
    if (old) old.dispose();
    const mode = scheme();
    const chart = echarts.init(el, null, { renderer: 'svg', width: width || undefined });
    build(el, width || el.clientWidth, mode).forEach((o) => chart.setOption(o));
    el.setAttribute('role', 'img');
    el.dataset.mode = mode;
  }

  const paperWidth = (el) => (el.closest('.two,.three') ? 334 : 684);
  const drawAll = () => document.querySelectorAll('.chart').forEach((el) => draw(el, printing ? paperWidth(el) : 0));
  function setPrinting(on) {
    if (printing === on) return;
    printing = on;
    drawAll();
  }

  root.classList.add('js');
  drawAll();
  let timer;
  addEventListener('resize', () => {
    clearTimeout(timer);
    timer = setTimeout(() => printing || drawAll(), 120);
  });
  dark.addEventListener('change', drawAll);
  print.addEventListener('change', (e) => setPrinting(e.matches));
  addEventListener('beforeprint', () => setPrinting(true));
  addEventListener('afterprint', () => setPrinting(false));
  if (print.matches) setPrinting(true);

  // ---- Save SVG, Save CSV: both without network.

  function save(name, type, text) {
    const a = document.createElement('a');
    a.download = name;
    a.href = `data:${type};charset=utf-8,` + encodeURIComponent(text);
    a.click();
  }

  const quote = (cell) => '"' + cell.textContent.trim().replace(/"/g, '""').replace(/\u2212/g, '-') + '"';
  const csv = (table) => [...table.rows].map((row) => [...row.cells].map(quote).join(',')).join('\n') + '\n';

  // One light SVG for a figure, 680 px (180 mm) wide: panels, their titles, and
  // the legend that the page shows as HTML.
  function figureSVG(figure) {
    exporting = true;
    const p = palette.light;
    const plain = (t) => t.replace(/var\(--(\w+)\)/g, (_, k) => p[k]);
    const text = (x, y, t, strong) =>
      `<text x="${x}" y="${y}" font-size="12" fill="${strong ? p.ink : p.ink2}"${strong ? ' font-weight="600"' : ''}>${escape(t)}</text>`;
    const charts = [...figure.querySelectorAll('.chart')];
    const width = charts.length > 1 ? 334 : 680;
    let [x, y, row, out] = [0, 0, 0, ''];
    charts.forEach((el, i) => {
      const height = parseInt(el.style.height, 10);
      const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
      build(el, width, 'light').forEach((o) => chart.setOption(o));
      x = charts.length > 1 && i % 2 ? 346 : 0;
      if (!x) {
        y += row;
        row = 0;
      }
      const title = el.previousElementSibling;
      const top = title && title.className === 'pt' ? 18 : 0;
      if (top) out += text(x, y + 13, title.textContent.trim(), true);
      out += chart.renderToSVGString().replace('<svg ', `<svg x="${x}" y="${y + top}" `);
      chart.dispose();
      row = Math.max(row, height + top);
    });
    y += row + 4;
    figure.querySelectorAll('.key,.ramp').forEach((key) => {
      x = 0;
      for (const item of key.children) {
        const label = item.textContent.trim();
        const glyph = item.querySelector('svg');
        const swatch = item.querySelector('i');
        const room = glyph ? +glyph.getAttribute('width') || 11 : swatch ? 22 : 0;
        const need = room + label.length * 6.6 + 24;
        if (x + need > 680) {
          x = 0;
          y += 18;
        }
        const size = glyph && glyph.getAttribute('width') ? '' : 'width="11" height="11" ';
        if (glyph) out += plain(glyph.outerHTML).replace('<svg ', `<svg x="${x}" y="${y + 3}" ${size}`);
        if (swatch) out += `<rect x="${x}" y="${y + 3}" width="22" height="11" fill="${plain(swatch.getAttribute('style').replace('background:', ''))}" stroke="${p.line}"/>`;
        out += text(x + room + (room ? 6 : 0), y + 13, label, item.tagName === 'B');
        x += need;
      }
      y += 20;
    });
    exporting = false;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="680" height="${y}" viewBox="0 0 680 ${y}" font-family="Arial,Helvetica,sans-serif"><rect width="680" height="${y}" fill="${p.bg}"/>${out}</svg>`;
  }

  document.addEventListener('click', (e) => {
    const button = e.target.closest('.tools button');
    if (!button) return;
    const figure = button.closest('figure');
    if (button.dataset.a === 'svg') return save(figure.id + '.svg', 'image/svg+xml', figureSVG(figure));
    figure.querySelectorAll('table').forEach((t, i) => save(figure.id + (i ? '-' + i : '') + '.csv', 'text/csv', csv(t)));
  });

  // ---- The contents follow the section in view.

  const links = [...document.querySelectorAll('.toc a')];
  const mark = (id) =>
    links.forEach((l) => {
      const on = l.hash === '#' + id;
      l.classList.toggle('on', on);
      on ? l.setAttribute('aria-current', 'true') : l.removeAttribute('aria-current');
    });
  if ('IntersectionObserver' in window) {
    const seen = new IntersectionObserver((list) => list.forEach((s) => s.isIntersecting && mark(s.target.id)), { rootMargin: '-10% 0px -80% 0px' });
    document.querySelectorAll('main section[id]').forEach((s) => seen.observe(s));
  }
})();
