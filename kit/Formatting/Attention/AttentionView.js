(function () {
  var me = document.currentScript;
  var roots = me ? [me.previousElementSibling] : Array.from(document.querySelectorAll('.rk-attn'));
  roots.forEach(function (root) {
    if (!root || root.dataset.ready) return;
    root.dataset.ready = '1';
    var tokens = JSON.parse(root.dataset.tokens), tip = root.querySelector('.rk-tip'), weights = new WeakMap();
    function read(image) {
      if (!weights.has(image)) weights.set(image, atob(image.dataset.w));
      return weights.get(image);
    }
    function text(list, cell, block) {
      var last = Math.min((cell + 1) * block, list.length) - 1, first = list[cell * block];
      if (first === undefined) first = '#' + cell * block;
      return last > cell * block ? first + ' … ' + list[last] : first;
    }
    root.addEventListener('pointermove', function (event) {
      var image = event.target, data = image.dataset;
      if (!data || !data.w) { tip.hidden = true; return; }
      var box = image.getBoundingClientRect(), home = root.getBoundingClientRect(), block = +data.block;
      var column = Math.min(data.cols - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * data.cols)));
      var row = Math.min(data.rows - 1, Math.max(0, Math.floor((event.clientY - box.top) / box.height * data.rows)));
      var level = read(image).charCodeAt(row * data.cols + column);
      tip.textContent = text(tokens[data.q], row, block) + ' → ' + text(tokens[data.k], column, block)
        + '  ' + (level === 255 ? 'NaN' : (level / 254).toFixed(2));
      tip.hidden = false;
      var x = event.clientX - home.left + 14;
      tip.style.left = Math.max(0, Math.min(x, home.width - tip.offsetWidth - 2)) + 'px';
      tip.style.top = (event.clientY - home.top + 16) + 'px';
    });
    root.addEventListener('pointerleave', function () { tip.hidden = true; });
  });
})();
