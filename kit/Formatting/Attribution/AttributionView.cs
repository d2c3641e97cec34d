using ResearchKit.Attribution;
using ResearchKit.Results;
using static TorchSharp.torch;

namespace ResearchKit.Formatting;

/// <summary>Draws attributions as heat maps: of tables and texts a row for each example, of images a map for each.</summary>
internal static class AttributionView
{
    private const int MostImages = 8;

    public static Html Draw(AttributionMap map)
    {
        var grids = Grids(map);
        var left = map.Values.dim() == 4 && map.Values.shape[0] > MostImages
            ? Html.Of($"<div class=\"rk-cap\">{Numbers.Count((int)map.Values.shape[0] - MostImages)} more are not shown</div>")
                : Html.Empty;
        return Theme.Output(Html.Of($"{grids.Select(GridView.Fragment)}{left}{EvidenceCaption.Draw(map.Evidence)}"));
    }

    public static string Text(AttributionMap map) =>
        $"{Visible.OneLine(map.ToString())}\n{string.Join('\n', Grids(map).Select(GridView.Text))}";

    public static Html Draw(LeagueTable table) => ResultTableView.Draw(table.ToTable());

    public static string Text(LeagueTable table) => ResultTableView.Text(table.ToTable());

    private static List<Grid> Grids(AttributionMap map)
    {
        using var scope = NewDisposeScope();
        var values = map.Values.detach().to(float64).cpu();
        var title = $"{map.Method}: {map.Target}";
        if (values.dim() == 4)   // [batch, channels, height, width]
            return [.. Enumerable.Range(0, (int)Math.Min(MostImages, values.shape[0])).Select(example => Of(
                $"{title}, example {example}, score {Numbers.Short(map.Scores[example])}", map.Unit, values[example].sum(dim: 0),
                    "", ""))];
        var rows = map.Values.dim() == 2 ? values : map.Sum(2).to(float64).cpu();
        return [Of(title, map.Unit, rows.flatten(1), "example", map.Values.dim() == 3 ? "position" : "feature")];
    }

    private static Grid Of(string title, string unit, Tensor values, string rowAxis, string columnAxis)
    {
        var (rows, columns) = ((int)values.shape[0], (int)values.shape[1]);
        var cells = new double[rows, columns];
        Buffer.BlockCopy(values.contiguous().data<double>().ToArray(), 0, cells, 0, sizeof(double) * cells.Length);
        string[] Labels(int count) => [.. Enumerable.Range(0, count).Select(at => $"{at}")];
        return new Grid(title, unit, Labels(rows), Labels(columns), cells) { RowAxis = rowAxis, ColumnAxis = columnAxis };
    }
}
