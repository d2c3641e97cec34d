using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>The cells of a grid as drawn: each one, or the strongest of each block if there are many.</summary>
/// <param name="Grid">The grid.</param>
/// <param name="Values">[row, column] as drawn.</param>
/// <param name="Block">Number of rows and columns that share a drawn cell; 1 if each is drawn.</param>
internal sealed record GridCells(Grid Grid, double[,] Values, int Block)
{
    private const int Longest = 512;

    /// <summary>Most cells that are drawn as shapes with a text for the pointer; more are one image.</summary>
    public const int MostShapes = 1_200;

    public int Rows => Values.GetLength(0);

    public int Columns => Values.GetLength(1);

    /// <summary>Whether each cell is a shape of its own.</summary>
    public bool AreShapes => Values.Length <= MostShapes;

    /// <summary>Returns the cells that fit.</summary>
    public static GridCells Of(Grid grid)
    {
        var rows = grid.Rows.Count;
        var columns = grid.Columns.Count;
        var block = Math.Max(1, (Math.Max(rows, columns) + Longest - 1) / Longest);
        if (block == 1) return new GridCells(grid, grid.Values, 1);
        var values = new double[(rows + block - 1) / block, (columns + block - 1) / block];
        for (var row = 0; row < values.GetLength(0); row++)
            for (var column = 0; column < values.GetLength(1); column++) values[row, column] = double.NaN;
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
            {
                ref var cell = ref values[row / block, column / block];
                if (!(Math.Abs(grid.Values[row, column]) <= Math.Abs(cell))) cell = grid.Values[row, column];
            }
        return new GridCells(grid, values, block);
    }

    /// <summary>Label of a drawn row.</summary>
    public string RowLabel(int row) => Visible.Label(Grid.Rows[row * Block]);

    /// <summary>Label of a drawn column.</summary>
    public string ColumnLabel(int column) => Visible.Label(Grid.Columns[column * Block]);

    /// <summary>
    /// The cells with the largest magnitudes, largest first; numbers that are not finite come first, NaN is left out.
    /// </summary>
    public static IEnumerable<(int Row, int Column, double Value)> Strongest(Grid grid, int most) =>
        (from row in Enumerable.Range(0, grid.Rows.Count)
         from column in Enumerable.Range(0, grid.Columns.Count)
         let value = grid.Values[row, column]
         where !double.IsNaN(value)
         orderby Math.Abs(value) descending
         select (row, column, value)).Take(most);

    /// <summary>Describes a cell: its row, its column, its number, its text.</summary>
    public static string Describe(Grid grid, int row, int column) =>
        $"{Named(grid.RowAxis, grid.Rows[row])}, {Named(grid.ColumnAxis, grid.Columns[column])}: {Numbers.Short(grid.Values[row, column])}"
        + (grid.Unit.Length > 0 ? $" {grid.Unit}" : "")
        + (grid.Texts is { } texts ? $" “{Visible.Label(texts[row, column])}”" : "");

    private static string Named(string axis, string label) =>
        axis.Length == 0 ? Visible.Label(label) : $"{Visible.OneLine(axis)} {Visible.Label(label)}";
}
