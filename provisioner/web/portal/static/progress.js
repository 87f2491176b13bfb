// How far test calls are, as the server tells it; when they are over, the page becomes their report.
"use strict";
(() => {
  const going = document.getElementById("going");
  const [text, bar, now, wrong] = ["text", "bar", "now", "wrong"].map((id) => document.getElementById(id));
  const source = new EventSource(going.dataset.live);
  source.addEventListener("progress", (event) => {
    const told = JSON.parse(event.data);
    text.textContent = told.text;
    now.textContent = told.now;
    wrong.textContent = told.wrong;
    if (told.calls) {
      bar.max = told.calls;
      bar.value = told.done;
    }
  });
  source.addEventListener("over", () => {
    source.close();
    location.reload();
  });
  source.onerror = () => {
    text.textContent = going.dataset.lost;
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
  };
  addEventListener("pagehide", () => source.close());
})();
