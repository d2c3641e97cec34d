(function () {
  var me = document.currentScript;
  var roots = me ? [me.previousElementSibling] : Array.from(document.querySelectorAll('.rk-attn'));
  roots.forEach(function (root) {
    if (!root || root.dataset.ready) return;
    root.dataset.ready = '1';
    var tokens = JSON.parse(root.dataset.tokens), tip = root.querySelector('.rk-tip'), weights = new WeakMap();
    // the opacity of a pixel is its weight
    function read(image) {
      if (!weights.has(image)) {
        var canvas = document.createElement('canvas');
        canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
        var context = canvas.getContext('2d');
        context.drawImage(image, 0, 0);
        weights.set(image, context.getImageData(0, 0, canvas.width, canvas.height).data);
      }
      return weights.get(image);
    }
    function text(list, cell, block) {
      var last = Math.min((cell + 1) * block, list.length) - 1, first = list[cell * block];
      if (first === undefined) first = '#' + cell * block;
      return last > cell * block ? first + ' … ' + list[last] : first;
    }
    root.addEventListener('pointermove', function (event) {
      var image = event.target, data = image.dataset;
      if (!data || !data.block) { tip.hidden = true; return; }
      var box = image.getBoundingClientRect(), home = root.getBoundingClientRect(), block = +data.block;
      var column = Math.min(image.naturalWidth - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * image.naturalWidth)));
      var row = Math.min(image.naturalHeight - 1, Math.max(0, Math.floor((event.clientY - box.top) / box.height * image.naturalHeight)));
      var pixels = read(image), at = 4 * (row * image.naturalWidth + column);
      tip.textContent = text(tokens[data.q], row, block) + ' → ' + text(tokens[data.k], column, block)
        + '  ' + (pixels[at] > 200 ? 'NaN' : (Math.pow(pixels[at + 3] / 255, 1 / 0.7) * root.dataset.highest).toFixed(2));
      tip.hidden = false;
      var x = event.clientX - home.left + 14;
      tip.style.left = Math.max(0, Math.min(x, home.width - tip.offsetWidth - 2)) + 'px';
      tip.style.top = (event.clientY - home.top + 16) + 'px';
    });
    root.addEventListener('pointerleave', function () { tip.hidden = true; });
  });
})();
