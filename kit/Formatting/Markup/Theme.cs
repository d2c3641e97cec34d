namespace ResearchKit.Formatting;

/// <summary>
/// Style shared by all output. Text color and background are inherited from the page, so that light and dark
/// pages both work.
/// </summary>
internal static class Theme
{
    /// <summary>Colors of runs and series; readable on white and on black.</summary>
    public static IReadOnlyList<string> Series { get; } = ["#3b82f6", "#e07b39", "#2ba58c", "#b560d4", "#d6455d", "#8f8f2a"];

    /// <summary>Returns the color of a series; colors repeat after the last.</summary>
    public static string ColorOf(int series) => Series[series % Series.Count];

    private static readonly Html Style = Html.Style("Theme.css");

    /// <summary>Wraps content into an output with the shared style and an additional one.</summary>
    public static Html Output(Html content, Html? style = null) => Html.Of($"<div class=\"rk\">{Style}{style}{content}</div>");
}
