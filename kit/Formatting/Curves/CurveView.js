(function () {
  if (!window.Plotly) return;
  var me = document.currentScript;
  var figures = me ? [me.previousElementSibling] : Array.from(document.querySelectorAll('.rk-figure'));
  figures.forEach(function (home) {
    if (!home || home.dataset.ready) return;
    home.dataset.ready = '1';
    var figure = JSON.parse(home.dataset.figure), picture = home.querySelector('svg'), place = document.createElement('div');
    figure.layout.font = { color: getComputedStyle(home).color };
    home.appendChild(place);
    window.Plotly.newPlot(place, figure.data, figure.layout, { displaylogo: false, responsive: true })
      .then(function () { picture.style.display = 'none'; });
  });
})();
