(function () {
  var PAL = JSON.parse(document.getElementById('palette').textContent),
    root = document.documentElement;
  var dark = matchMedia('(prefers-color-scheme: dark)'),
    prn = matchMedia('print'),
    printing = false,
    insts = [];
  var FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Liberation Sans',sans-serif";
  function esc(s) {
    return String(s).replace(/[&<>"]/g, function (c) {
      return { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }[c];
    });
  }
  var F = {
    // horizontal whisker with caps: [lo, hi, row]
    whisker: function (p, a) {
      var y = a.value(2),
        l = a.coord([a.value(0), y]),
        h = a.coord([a.value(1), y]),
        s = { stroke: a.visual('color'), lineWidth: 1.6, fill: null };
      return {
        type: 'group',
        children: [
          [l[0], l[1], h[0], h[1]],
          [l[0], l[1] - 4, l[0], l[1] + 4],
          [h[0], h[1] - 4, h[0], h[1] + 4],
        ].map(function (q) {
          return { type: 'line', shape: { x1: q[0], y1: q[1], x2: q[2], y2: q[3] }, style: s };
        }),
      };
    },
    // broken-axis mark at the left end of a value axis that does not start at zero
    brk: function (p, a) {
      var s = p.coordSys,
        x = s.x,
        y = s.y + s.height,
        P = PAL[mode()];
      return {
        type: 'group',
        children: [
          { type: 'rect', shape: { x: x + 3, y: y - 3, width: 8, height: 6 }, style: { fill: P.bg } },
          {
            type: 'line',
            shape: { x1: x + 1, y1: y + 5, x2: x + 5, y2: y - 5 },
            style: { stroke: P.ink2, lineWidth: 1.2 },
          },
          {
            type: 'line',
            shape: { x1: x + 8, y1: y + 5, x2: x + 12, y2: y - 5 },
            style: { stroke: P.ink2, lineWidth: 1.2 },
          },
        ],
      };
    },
    tip: function (p) {
      var d = p.data || {};
      if (!d.tip) return '';
      return (
        '<b>' +
        esc(d.tip[0]) +
        '</b>' +
        d.tip
          .slice(1)
          .map(function (r) {
            return '<br>' + esc(r);
          })
          .join('') +
        (d.cell ? '<br><code>cell ' + esc(d.cell) + ' · bench show ' + esc(d.cell) + '</code>' : '')
      );
    },
    minus: function (v) {
      return String(v).replace('-', '\u2212');
    },
    sci: function (v) {
      return v >= 1 ? String(v) : String(+v.toPrecision(1));
    },
  };
  function mode() {
    return !printing && !F.light && dark.matches ? 'dark' : 'light';
  }
  function resolve(v, m) {
    if (typeof v === 'string') {
      if (v.slice(0, 3) === '@c.') return PAL[m][v.slice(3)];
      if (v.slice(0, 3) === '@f.') return F[v.slice(3)];
      return v;
    }
    if (Array.isArray(v))
      return v.map(function (x) {
        return resolve(x, m);
      });
    if (v && typeof v === 'object') {
      var o = {};
      for (var k in v) o[k] = resolve(v[k], m);
      return o;
    }
    return v;
  }
  function build(el, w, m) {
    var d = JSON.parse(document.getElementById('o-' + el.id).textContent),
      P = PAL[m],
      o = resolve(d.option, m);
    o.animation = false;
    o.textStyle = { fontFamily: FONT, color: P.ink2, fontSize: 12 };
    o.backgroundColor = 'transparent';
    o.tooltip = {
      trigger: 'item',
      confine: true,
      formatter: F.tip,
      backgroundColor: P.bg,
      borderColor: P.ink3,
      borderWidth: 1,
      padding: [6, 9],
      textStyle: { color: P.ink, fontSize: 12.5 },
      extraCssText: 'box-shadow:none;border-radius:2px',
    };
    ['xAxis', 'yAxis'].forEach(function (k) {
      [].concat(o[k]).forEach(function (a) {
        a.axisLabel = Object.assign({ color: P.ink2, fontSize: 12 }, a.axisLabel);
        a.nameTextStyle = Object.assign({ color: P.ink2, fontSize: 12 }, a.nameTextStyle);
        a.axisTick = Object.assign({ show: false }, a.axisTick);
        a.axisLine = Object.assign({ show: a.type !== 'category', lineStyle: { color: P.ink3 } }, a.axisLine);
        a.splitLine = Object.assign(
          { show: a.type !== 'category', lineStyle: { color: P.hair } },
          a.splitLine,
        );
        a.minorSplitLine = { show: false };
      });
    });
    return { o: o, narrow: d.narrow && w < d.narrow.below ? resolve(d.narrow.option, m) : null };
  }
  function draw(el, w) {
    var old = echarts.getInstanceByDom(el);
    if (old) old.dispose();
    var m = mode(),
      b = build(el, w || el.clientWidth, m),
      c = echarts.init(el, null, { renderer: 'svg', width: w || undefined });
    c.setOption(b.o);
    if (b.narrow) c.setOption(b.narrow);
    el.setAttribute('role', 'img');
    el.dataset.mode = m;
    return c;
  }
  function all() {
    document.querySelectorAll('.chart').forEach(function (el) {
      var w = 0;
      if (printing) {
        w = el.closest('.two,.three') ? 334 : 684;
      }
      draw(el, w);
    });
  }
  root.classList.add('js');
  all();
  var t;
  addEventListener('resize', function () {
    clearTimeout(t);
    t = setTimeout(function () {
      if (!printing) all();
    }, 120);
  });
  dark.addEventListener('change', all);
  function toPrint() {
    if (!printing) {
      printing = true;
      all();
    }
  }
  function back() {
    if (printing) {
      printing = false;
      all();
    }
  }
  prn.addEventListener('change', function (e) {
    e.matches ? toPrint() : back();
  });
  addEventListener('beforeprint', toPrint);
  addEventListener('afterprint', back);
  if (prn.matches) toPrint();
  function save(name, type, text) {
    var a = document.createElement('a');
    a.download = name;
    a.href = 'data:' + type + ';charset=utf-8,' + encodeURIComponent(text);
    a.click();
  }
  document.addEventListener('click', function (e) {
    var b = e.target.closest('.tools button');
    if (!b) return;
    var f = b.closest('figure');
    if (b.dataset.a === 'csv') {
      f.querySelectorAll('table').forEach(function (t, i) {
        save(
          f.id + (i ? '-' + i : '') + '.csv',
          'text/csv',
          [].map
            .call(t.rows, function (r) {
              return [].map
                .call(r.cells, function (c) {
                  return (
                    '"' +
                    c.textContent
                      .trim()
                      .replace(/"/g, '""')
                      .replace(/\u2212/g, '-') +
                    '"'
                  );
                })
                .join(',');
            })
            .join('\n'),
        );
      });
    } else save(f.id + '.svg', 'image/svg+xml', figure(f));
  });
  // one light SVG for a figure, 680 px (180 mm) wide: panels, their titles, and the legend that the page shows as HTML
  function figure(f) {
    var P = PAL.light,
      cs = f.querySelectorAll('.chart'),
      two = cs.length > 1,
      w = two ? 334 : 680,
      x = 0,
      y = 0,
      row = 0,
      out = '';
    F.light = 1;
    function css(t) {
      return t.replace(/var\(--(\w+)\)/g, function (_, k) {
        return P[k];
      });
    }
    function txt(x, y, t, b) {
      return (
        '<text x="' +
        x +
        '" y="' +
        y +
        '" font-size="12" fill="' +
        (b ? P.ink : P.ink2) +
        '"' +
        (b ? ' font-weight="600"' : '') +
        '>' +
        esc(t) +
        '</text>'
      );
    }
    cs.forEach(function (el, i) {
      var h = parseInt(el.style.height, 10),
        b = build(el, w, 'light'),
        c = echarts.init(null, null, { renderer: 'svg', ssr: true, width: w, height: h }),
        pt = el.previousElementSibling;
      c.setOption(b.o);
      if (b.narrow) c.setOption(b.narrow);
      x = two && i % 2 ? 346 : 0;
      if (!x) {
        y += row;
        row = 0;
      }
      var t = two && pt && pt.className === 'pt' ? 18 : 0;
      if (t) out += txt(x, y + 13, pt.textContent, 1);
      out += c.renderToSVGString().replace('<svg ', '<svg x="' + x + '" y="' + (y + t) + '" ');
      c.dispose();
      row = Math.max(row, h + t);
    });
    y += row + 4;
    f.querySelectorAll('.key,.ramp').forEach(function (k) {
      x = 0;
      [].forEach.call(k.children, function (it) {
        var t = it.textContent.trim(),
          g = it.querySelector('svg'),
          sw = it.querySelector('i'),
          gw = g ? g.getAttribute('width') | 0 || 11 : sw ? 22 : 0,
          need = gw + t.length * 6.6 + 24;
        if (x + need > 680) {
          x = 0;
          y += 18;
        }
        if (g)
          out += css(g.outerHTML).replace(
            '<svg ',
            '<svg x="' +
              x +
              '" y="' +
              (y + 3) +
              '" ' +
              (g.getAttribute('width') ? '' : 'width="11" height="11" '),
          );
        if (sw)
          out +=
            '<rect x="' +
            x +
            '" y="' +
            (y + 3) +
            '" width="22" height="11" fill="' +
            css(sw.getAttribute('style').replace('background:', '')) +
            '" stroke="' +
            P.line +
            '"/>';
        out += txt(x + gw + (gw ? 6 : 0), y + 13, t, it.tagName === 'B');
        x += need;
      });
      y += 20;
    });
    F.light = 0;
    return (
      '<svg xmlns="http://www.w3.org/2000/svg" width="680" height="' +
      y +
      '" viewBox="0 0 680 ' +
      y +
      '" font-family="Arial,Helvetica,sans-serif"><rect width="680" height="' +
      y +
      '" fill="#fff"/>' +
      out +
      '</svg>'
    );
  }
  var links = [].slice.call(document.querySelectorAll('.toc a'));
  if ('IntersectionObserver' in window) {
    var io = new IntersectionObserver(
      function (es) {
        es.forEach(function (x) {
          if (x.isIntersecting)
            links.forEach(function (l) {
              var on = l.hash === '#' + x.target.id;
              l.classList.toggle('on', on);
              on ? l.setAttribute('aria-current', 'true') : l.removeAttribute('aria-current');
            });
        });
      },
      { rootMargin: '-10% 0px -80% 0px' },
    );
    document.querySelectorAll('main section[id]').forEach(function (s) {
      io.observe(s);
    });
  }
})();
