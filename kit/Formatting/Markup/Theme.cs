namespace ResearchKit.Formatting;

/// <summary>The look that all pictures share. Colors of the page are inherited, so that light and dark pages both work.</summary>
internal static class Theme
{
    /// <summary>Colors of runs and series; readable on white and on black.</summary>
    public static IReadOnlyList<string> Series { get; } = ["#3b82f6", "#e07b39", "#2ba58c", "#b560d4", "#d6455d", "#8f8f2a"];

    /// <summary>The color of a series; after the last they begin again.</summary>
    public static string ColorOf(int series) => Series[series % Series.Count];

    private static readonly Html Style = Html.Verbatim(
        """
        <style>
        .rk{font:13px/1.45 system-ui,sans-serif;color:inherit;--rk-line:color-mix(in srgb,currentColor 22%,transparent);--rk-ground:color-mix(in srgb,currentColor 7%,transparent);--rk-accent:#3b82f6;max-width:100%}
        .rk *{box-sizing:border-box}
        .rk-line{display:flex;flex-wrap:wrap;gap:2px 12px;align-items:center;margin:2px 0}
        .rk-line>b{font-weight:600}
        .rk-mute,.rk figcaption,.rk-cap{color:color-mix(in srgb,currentColor 65%,transparent)}
        .rk-cap{font-size:12px;margin:4px 0}
        .rk-num{font-variant-numeric:tabular-nums;white-space:nowrap}
        .rk-flag{padding:0 6px;border:1px solid var(--rk-line);border-radius:9px;font-size:12px}
        .rk-bad{border-color:#d6455d;background:color-mix(in srgb,#d6455d 18%,transparent)}
        .rk-many{display:flex;flex-wrap:wrap;gap:8px;align-items:flex-start;margin:6px 0}
        .rk figure{margin:0;display:inline-flex;flex-direction:column;gap:2px;font-size:11px}
        .rk img{image-rendering:pixelated;display:block;max-width:none;margin:0;border-radius:0}
        .rk-map{border:1px solid var(--rk-line);display:inline-block;line-height:0;overflow:hidden;max-width:100%}
        .rk-bar{display:inline-block;width:160px;height:10px;border:1px solid var(--rk-line);vertical-align:middle}
        .rk-key{display:inline-block;width:10px;height:10px;vertical-align:-1px;margin-right:4px;border:1px solid var(--rk-line)}
        .rk svg{overflow:visible;display:inline-block;vertical-align:middle}
        .rk svg text{fill:currentColor;font:11px system-ui,sans-serif}
        .rk summary{cursor:pointer}
        .rk summary:focus-visible,.rk [tabindex]:focus-visible{outline:2px solid var(--rk-accent);outline-offset:2px}
        .rk pre{margin:4px 0;padding:0;background:none;color:inherit;font:12px/1.4 ui-monospace,monospace;overflow-x:auto}
        .rk table.rk-tab{border-collapse:collapse;margin:4px 0;width:auto;background:none;color:inherit;border:0;font-size:13px}
        .rk .rk-tab tr{background:none}
        .rk .rk-tab th,.rk .rk-tab td{padding:2px 10px 2px 0;text-align:left;vertical-align:top;border:0;border-bottom:1px solid var(--rk-line);background:none;color:inherit;overflow-wrap:anywhere}
        .rk .rk-tab th{font-weight:600}
        .rk .rk-tab .rk-right{text-align:right;font-variant-numeric:tabular-nums}
        </style>
        """);

    /// <summary>One output: the shared style and what the picture adds to it, then the picture.</summary>
    public static Html Output(Html content, Html? style = null) => Html.Of($"<div class=\"rk\">{Style}{style}{content}</div>");
}
