using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>Draws a hyperparameter search: the best trial, and a table of all.</summary>
internal static class SearchView
{
    public static Html Draw(SearchResult search) => Theme.Output(Html.Of($"""
        <div class="rk-line"><b>{search.Name}</b><span class="rk-num">best {search.Measure} {Numbers.Short(search.Best.Value)}</span>
        <span class="rk-mute">{search.Best.Trial}</span></div>{ResultTableView.Fragment(search.Table())}
        """));

    public static string Text(SearchResult search) => Visible.Lines(search.ToString());
}
