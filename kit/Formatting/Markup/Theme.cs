namespace ResearchKit.Formatting;

/// <summary>The look that all pictures share. Colors of the page are inherited, so that light and dark pages both work.</summary>
internal static class Theme
{
    /// <summary>Colors of runs and series; readable on white and on black.</summary>
    public static IReadOnlyList<string> Series { get; } = ["#3b82f6", "#e07b39", "#2ba58c", "#b560d4", "#d6455d", "#8f8f2a"];

    /// <summary>The color of a series; after the last they begin again.</summary>
    public static string ColorOf(int series) => Series[series % Series.Count];

    private static readonly Html Style = Html.Style("Theme.css");

    /// <summary>One output: the shared style and what the picture adds to it, then the picture.</summary>
    public static Html Output(Html content, Html? style = null) => Html.Of($"<div class=\"rk\">{Style}{style}{content}</div>");
}
