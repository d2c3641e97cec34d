using ResearchKit.Checkpoints;

namespace ResearchKit.Formatting;

/// <summary>Shows what was loaded from a published model, a line for each kind of difference.</summary>
internal static class LoadReportView
{
    public static Html Draw(LoadReport report) => Theme.Output(Html.Of(
        $"{report.ToString().Split('\n').Select(line => Html.Of($"<div class=\"rk-line\">{Visible.OneLine(line)}</div>"))}"));
}
