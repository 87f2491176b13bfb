// Rows change as the server tells of them; what it tells is HTML of our own templates.
"use strict";
(() => {
  const rows = document.getElementById("rows");
  const link = document.getElementById("link");
  const nothing = document.getElementById("nothing");
  const silentAfterMs = 40000;
  let silence = 0;

  const say = (isLive) => {
    link.textContent = isLive ? link.dataset.live : link.dataset.lost;
    link.className = isLive ? "link live" : "link lost";
    rows.closest("table").classList.toggle("stale", !isLive);
  };

  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => say(false), silentAfterMs);
    say(true);
  };

  const made = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content.querySelector("tr");
  };

  const put = (key, html) => {
    const row = made(html);
    const old = document.getElementById(key);
    if (old && old.className === row.className && old.innerHTML === row.innerHTML) return;
    if (old) {
      if (old.className !== row.className) row.classList.add("changed");
      const place = old.contains(document.activeElement);
      old.replaceWith(row);
      if (place) row.querySelector("a")?.focus({ preventScroll: true });
    } else {
      row.classList.add("changed");
      rows.append(row);
    }
  };

  const follow = () => {
    const source = new EventSource(rows.dataset.live);
    source.addEventListener("rows", (event) => {
      heard();
      const told = JSON.parse(event.data);
      for (const [key, html] of Object.entries(told.changed)) put(key, html);
      const wanted = new Set(told.order);
      for (const row of [...rows.children]) if (!wanted.has(row.id)) row.remove();
      told.order.forEach((key, place) => {
        const row = document.getElementById(key);
        if (row && rows.children[place] !== row) rows.insertBefore(row, rows.children[place] || null);
      });
      for (const [name, count] of Object.entries(told.counts)) {
        const place = document.getElementById("count-" + name);
        place.textContent = count;
        place.classList.toggle("zero", !count);
      }
      nothing.hidden = told.order.length > 0;
    });
    source.addEventListener("alive", heard);
    source.addEventListener("over", () => { source.close(); location.reload(); });
    source.onerror = () => {
      say(false);
      // It comes back by itself, but for a refusal: then the page asks again, and may be sent to log in.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
    };
    addEventListener("pagehide", () => source.close());
  };

  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  addEventListener("keydown", (event) => {
    const field = document.getElementById("q");
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      field.focus();
    }
  });
  document.getElementById("state").addEventListener("change", (event) => event.target.form.requestSubmit());
  follow();
})();
