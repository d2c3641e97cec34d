(function () {
  var me = document.currentScript;
  var homes = me ? [me.previousElementSibling] : Array.from(document.querySelectorAll('.rk-browse'));
  homes.forEach(function (home) {
    if (!home || home.dataset.ready) return;
    home.dataset.ready = '1';
    var sliders = Array.from(home.querySelectorAll('input')), output = home.querySelector('output');
    var image = home.querySelector('img'), frame = image.parentElement;
    function show() {
      var plane = sliders.reduce(function (at, slider) { return at * slider.dataset.shown + +slider.value; }, 0);
      image.style.marginTop = -plane * home.dataset.height + 'px';
      output.textContent = '[' + sliders.map(function (slider) { return slider.value * slider.dataset.step; }).join(', ') + ', :, :]';
    }
    frame.style.height = +home.dataset.height + 2 + 'px';
    home.firstElementChild.hidden = false;
    sliders.forEach(function (slider) { slider.addEventListener('input', show); });
    show();
  });
})();
