namespace ResearchKit.Mermaid.Layout;

/// <summary>A point in pixels; x grows to the right and y downward.</summary>
internal readonly record struct Point(double X, double Y)
{
    public static Point operator +(Point a, Point b) => new(a.X + b.X, a.Y + b.Y);

    public static Point operator -(Point a, Point b) => new(a.X - b.X, a.Y - b.Y);

    public static Point operator *(Point a, double factor) => new(a.X * factor, a.Y * factor);

    public double Length => Math.Sqrt((X * X) + (Y * Y));
}

/// <summary>A rectangle in pixels.</summary>
internal readonly record struct Box(double X, double Y, double Width, double Height)
{
    public double Right => X + Width;

    public double Bottom => Y + Height;

    public Point Centre => new(X + (Width / 2), Y + (Height / 2));

    public static Box Around(Point centre, double width, double height) =>
        new(centre.X - (width / 2), centre.Y - (height / 2), width, height);

    /// <summary>Returns the rectangle between two opposite corners.</summary>
    public static Box Between(Point a, Point b) =>
        new(Math.Min(a.X, b.X), Math.Min(a.Y, b.Y), Math.Abs(a.X - b.X), Math.Abs(a.Y - b.Y));

    public Box Moved(Point by) => this with { X = X + by.X, Y = Y + by.Y };
}

/// <summary>Converts between a layout with downward arrows and the diagram's direction.</summary>
internal readonly record struct Flow(Graphs.Direction Direction)
{
    /// <summary>True if width and height are swapped.</summary>
    public bool IsSideways => Direction is Graphs.Direction.Left or Graphs.Direction.Right;

    public (double Width, double Height) Turned(double width, double height) => IsSideways ? (height, width) : (width, height);

    /// <summary>
    /// Converts a point of the layout to a point on the page; <paramref name="height"/> is that of the layout.
    /// </summary>
    public Point ToPage(Point point, double height) => Direction switch
    {
        Graphs.Direction.Down => point,
        Graphs.Direction.Up => new Point(point.X, height - point.Y),
        Graphs.Direction.Right => new Point(point.Y, point.X),
        _ => new Point(height - point.Y, point.X),
    };

    /// <summary>
    /// Converts a point on the page to a point of the layout; the inverse of <see cref="ToPage"/>.
    /// </summary>
    public Point FromPage(Point point, double height) => Direction switch
    {
        Graphs.Direction.Down => point,
        Graphs.Direction.Up => new Point(point.X, height - point.Y),
        Graphs.Direction.Right => new Point(point.Y, point.X),
        _ => new Point(point.Y, height - point.X),
    };
}
