namespace ResearchKit.Formatting;

/// <summary>The style of attention maps, and the script that says what lies under the pointer.</summary>
internal static class AttentionScript
{
    public static Html Style { get; } = Html.Verbatim(
        """
        <style>
        .rk-attn{position:relative}
        .rk-layer{display:flex;gap:8px;align-items:flex-start}
        .rk-layer>.rk-cap{flex:0 0 52px;padding-top:26px}
        .rk-layer>.rk-many{flex:1;min-width:0;margin:2px 0}
        .rk-head>summary{list-style:none;display:inline-block}
        .rk-head>summary::-webkit-details-marker{display:none}
        .rk-head>summary>.rk-cap{display:block;margin:0}
        .rk-head img{width:96px;height:96px}
        .rk-head .rk-ys,.rk-head .rk-xs,.rk-head:not([open]) .rk-plot>span:empty{display:none}
        .rk-head[open]{flex:1 0 100%;border:1px solid var(--rk-line);border-radius:6px;padding:6px 10px;overflow-x:auto}
        .rk-head[open] .rk-plot{display:grid;grid-template-columns:auto auto;width:max-content}
        .rk-head[open] img{width:calc(var(--cell)*var(--cols));height:calc(var(--cell)*var(--rows))}
        .rk-head[open] .rk-map{max-width:none}
        .rk-head[open] .rk-ys{display:flex;flex-direction:column;text-align:right;padding:1px 4px 1px 0}
        .rk-head[open] .rk-xs{display:flex;padding:4px 1px 0}
        .rk-head i{font:normal clamp(8px,calc(var(--cell) - 2px),13px)/1 ui-monospace,monospace;white-space:nowrap;flex:0 0 var(--cell);overflow:visible}
        .rk-ys i{height:var(--cell);display:flex;align-items:center;justify-content:flex-end}
        .rk-xs i{width:var(--cell);writing-mode:vertical-rl;display:flex;align-items:center}
        .rk-tip{position:absolute;z-index:9;pointer-events:none;background:Canvas;color:CanvasText;color-scheme:light dark;border:1px solid currentColor;border-radius:4px;padding:1px 7px;font:12px ui-monospace,monospace;white-space:nowrap}
        .rk-tip[hidden]{display:none}
        </style>
        """);

    /// <summary>Written without the characters that markup would have to encode.</summary>
    public static Html Code { get; } = Html.Verbatim(
        """
        <script>
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
        </script>
        """);
}
