(function () {
  var me = document.currentScript;
  var tables = me ? [me.previousElementSibling] : Array.from(document.querySelectorAll('.rk-sort'));
  tables.forEach(function (table) {
    if (!table || table.dataset.ready) return;
    table.dataset.ready = '1';
    var heads = Array.from(table.tHead.rows[0].cells), body = table.tBodies[0];
    heads.forEach(function (head, column) {
      if (!head.dataset.sort) return;
      function key(row) { return parseFloat(row.cells[column].dataset.v); }
      function sort() {
        var down = head.getAttribute('aria-sort') !== 'descending';
        heads.forEach(function (other) { other.removeAttribute('aria-sort'); });
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        var rows = Array.from(body.rows);
        rows.sort(function (a, b) {
          var x = key(a), y = key(b);
          if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
          return down ? y - x : x - y;
        });
        rows.forEach(function (row) { body.appendChild(row); });
      }
      head.tabIndex = 0;
      head.style.cursor = 'pointer';
      head.title = 'sort';
      head.addEventListener('click', sort);
      head.addEventListener('keydown', function (event) {
        if (event.key !== 'Enter') if (event.key !== ' ') return;
        event.preventDefault();
        sort();
      });
    });
  });
})();
