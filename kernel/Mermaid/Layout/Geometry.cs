namespace ResearchKit.Mermaid.Layout;

/// <summary>A place in pixels, down and to the right.</summary>
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

    /// <summary>The rectangle between two corners, whichever they are.</summary>
    public static Box Between(Point a, Point b) =>
        new(Math.Min(a.X, b.X), Math.Min(a.Y, b.Y), Math.Abs(a.X - b.X), Math.Abs(a.Y - b.Y));

    public Box Moved(Point by) => this with { X = X + by.X, Y = Y + by.Y };
}

/// <summary>Turns a layout whose arrows lead down into one whose arrows lead elsewhere.</summary>
internal readonly record struct Flow(Graphs.Direction Direction)
{
    /// <summary>True where width and height change places.</summary>
    public bool IsSideways => Direction is Graphs.Direction.Left or Graphs.Direction.Right;

    public (double Width, double Height) Turned(double width, double height) => IsSideways ? (height, width) : (width, height);

    /// <summary>A place of a layout of that height, as it is on the page.</summary>
    public Point ToPage(Point point, double height) => Direction switch
    {
        Graphs.Direction.Down => point,
        Graphs.Direction.Up => new Point(point.X, height - point.Y),
        Graphs.Direction.Right => new Point(point.Y, point.X),
        _ => new Point(height - point.Y, point.X),
    };

    /// <summary>The way back.</summary>
    public Point FromPage(Point point, double height) => Direction switch
    {
        Graphs.Direction.Down => point,
        Graphs.Direction.Up => new Point(point.X, height - point.Y),
        Graphs.Direction.Right => new Point(point.Y, point.X),
        _ => new Point(point.Y, height - point.X),
    };
}
