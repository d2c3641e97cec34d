using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Draws a grid as a heat map with labels at its left and below it.</summary>
internal sealed class GridDrawing
{
    private const double WidestLabel = 150, LongestSide = 620, LineHeight = 14;

    private readonly GridCells cells;
    private readonly ColorScale scale;
    private readonly double cellWidth, cellHeight, left, below;
    private readonly bool areTexts;

    private GridDrawing(GridCells cells, ColorScale scale)
    {
        this.cells = cells;
        this.scale = scale;
        var grid = cells.Grid;
        areTexts = grid.Texts is not null && cells is { AreShapes: true, Block: 1 };
        cellHeight = Math.Clamp(LongestSide / Math.Max(1, cells.Rows), 1, areTexts ? 18 : 22);
        if (areTexts) cellHeight = 18;
        var widest = areTexts ? grid.Texts!.Cast<string>().Max(text => Drawing.WidthOf(Visible.Label(text, 12))) : 0;
        cellWidth = areTexts ? Math.Clamp(widest + 8, 20, 96) : Math.Clamp(LongestSide / Math.Max(1, cells.Columns), 1, 30);
        if (!areTexts && cells is { AreShapes: false }) cellWidth = cellHeight = Math.Min(cellWidth, cellHeight);
        left = Labels(cells.Rows, cells.RowLabel) + 8 + (grid.RowAxis.Length > 0 ? 18 : 0);
        var columnLabel = Labels(cells.Columns, cells.ColumnLabel);
        IsTurned = columnLabel + 4 > cellWidth;
        below = (IsTurned ? columnLabel : LineHeight) + 8 + (grid.ColumnAxis.Length > 0 ? 18 : 0);
    }

    private bool IsTurned { get; }

    private double MapWidth => cells.Columns * cellWidth;

    private double MapHeight => cells.Rows * cellHeight;

    /// <summary>Draws the map with its labels.</summary>
    public static Drawing Draw(Grid grid, GridCells cells, ColorScale scale)
    {
        var one = new GridDrawing(cells, scale);
        var drawing = new Drawing(Math.Ceiling(one.left + one.MapWidth + 2), Math.Ceiling(one.MapHeight + one.below + 2),
            Describe(grid));
        one.Add(drawing, 1);
        return drawing;
    }

    /// <summary>Draws the map with its title, its scale and its evidence, to stand alone.</summary>
    public static Drawing DrawAlone(Grid grid)
    {
        var cells = GridCells.Of(grid);
        var scale = ColorScale.Of(grid.Values.Cast<double>());
        var one = new GridDrawing(cells, scale);
        const double Top = 46;
        var width = Math.Ceiling(Math.Max(Math.Max(one.left + one.MapWidth, Drawing.WidthOf(grid.Title, 13) * 1.1), 360)) + 16;
        var drawing = new Drawing(width, 0, Describe(grid));
        drawing.Shapes.Add(new Words(8, 18, Visible.OneLine(grid.Title)) { Size = 13, IsBold = true });
        var used = Legend.Add(drawing, scale, 8, 27);
        drawing.Shapes.Add(new Words(8 + used + 8, 36, Visible.OneLine(grid.Unit)));
        one.Add(drawing, Top);
        var bottom = Top + one.MapHeight + one.below + 4;
        return drawing with { Height = bottom + EvidenceCaption.Add(drawing, grid.Evidence, 8, bottom, width - 16) + 8 };
    }

    private void Add(Drawing drawing, double top)
    {
        AddCells(drawing, top);
        drawing.Shapes.Add(new Box(left, top, MapWidth, MapHeight, "none") { Stroke = "#8f959c" });
        var every = (int)Math.Ceiling(11 / cellHeight);
        for (var row = 0; row < cells.Rows; row += every)
            drawing.Shapes.Add(new Words(left - 5, top + ((row + 0.5) * cellHeight) + 4,
                Drawing.Fitted(cells.RowLabel(row), WidestLabel), TextAnchor.End));
        AddColumnLabels(drawing, top + MapHeight);
        if (cells.Grid.RowAxis.Length > 0)
            drawing.Shapes.Add(new Words(12, top + (MapHeight / 2), Visible.OneLine(cells.Grid.RowAxis),
                TextAnchor.Middle)
            { Turn = -90 });
        if (cells.Grid.ColumnAxis.Length > 0)
            drawing.Shapes.Add(new Words(left + (MapWidth / 2), top + MapHeight + below - 5,
                Visible.OneLine(cells.Grid.ColumnAxis),
                TextAnchor.Middle));
    }

    private void AddColumnLabels(Drawing drawing, double y)
    {
        var every = IsTurned ? (int)Math.Ceiling(12 / cellWidth) : 1;
        for (var column = 0; column < cells.Columns; column += every)
        {
            var x = left + ((column + 0.5) * cellWidth);
            var text = Drawing.Fitted(cells.ColumnLabel(column), WidestLabel);
            drawing.Shapes.Add(IsTurned ? new Words(x + 4, y + 5, text, TextAnchor.End) { Turn = -90 }
                : new Words(x, y + LineHeight, text, TextAnchor.Middle));
        }
    }

    private void AddCells(Drawing drawing, double top)
    {
        if (!cells.AreShapes)
        {
            drawing.Shapes.Add(new Raster(left, top, MapWidth, MapHeight, cells.Columns,
                [.. cells.Values.Cast<double>().Select(scale.IndexOf)], Blank(scale.Palette)));
            return;
        }
        for (var row = 0; row < cells.Rows; row++)
            for (var column = 0; column < cells.Columns; column++) AddCell(drawing, top, row, column);
    }

    private void AddCell(Drawing drawing, double top, int row, int column)
    {
        var grid = cells.Grid;
        var (x, y) = (left + (column * cellWidth), top + (row * cellHeight));
        var isBlank = double.IsNaN(grid.Values[row, column]);
        var color = scale.ColorOf(grid.Values[row, column]);
        if (!isBlank)
            drawing.Shapes.Add(new Box(x, y, cellWidth, cellHeight, color.ToString())
            { Title = GridCells.Describe(grid, row, column) });
        if (areTexts)
            drawing.Shapes.Add(new Words(x + (cellWidth / 2), y + 13, Drawing.Fitted(Visible.Label(grid.Texts![row, column], 12),
                cellWidth - 4), TextAnchor.Middle)
            { Color = isBlank ? Drawing.Ink : color.Text, Title = isBlank ? null : GridCells.Describe(grid, row, column) });
    }

    /// <summary>The palette with a transparent color for NaN, which in a grid means that there is no number.</summary>
    private static IReadOnlyList<Color> Blank(IReadOnlyList<Color> palette) =>
        [.. palette.Select(color => color == ColorScale.NaN ? color with { Alpha = 0 } : color)];

    private static double Labels(int count, Func<int, string> label) =>
        Math.Min(WidestLabel, Enumerable.Range(0, count).Select(index => Drawing.WidthOf(label(index))).DefaultIfEmpty().Max());

    private static string Describe(Grid grid)
    {
        var strongest = GridCells.Strongest(grid, 1)
            .Select(cell => $"; largest at {GridCells.Describe(grid, cell.Row, cell.Column)}");
        return $"heat map: {Visible.OneLine(grid.ToString())}{string.Concat(strongest)}";
    }
}
