namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>A part of a cell's outputs that is compared separately.</summary>
/// <param name="Kind">The stream or mime type, such as <c>stdout</c> or <c>image/png</c>.</param>
/// <param name="Text">
/// The text to compare line by line; null for a part that is compared by kind and rough size only.
/// </param>
/// <param name="Size">The length of the part in characters.</param>
internal sealed record OutputPart(string Kind, string? Text, int Size)
{
    private const int Negligible = 1024;

    public static OutputPart OfText(string kind, string text) => new(kind, text, text.Length);

    public static OutputPart OfPicture(string kind, int size) => new(kind, null, size);

    /// <summary>
    /// True when the sizes are within a factor of two, or differ by at most 1,024 characters, as images of similar
    /// content do.
    /// </summary>
    public bool IsRoughlyAsLargeAs(OutputPart other) =>
        Math.Max(Size, other.Size) <= 2 * Math.Min(Size, other.Size) || Math.Abs(Size - other.Size) <= Negligible;
}
