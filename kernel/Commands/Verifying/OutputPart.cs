namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>A piece of a cell's outputs that is compared on its own.</summary>
/// <param name="Kind">What it is, such as <c>stdout</c> or <c>image/png</c>.</param>
/// <param name="Text">What is compared line by line; null for what is compared by kind and rough size only.</param>
/// <param name="Size">Its length in characters.</param>
internal sealed record OutputPart(string Kind, string? Text, int Size)
{
    private const int Negligible = 1024;

    public static OutputPart OfText(string kind, string text) => new(kind, text, text.Length);

    public static OutputPart OfPicture(string kind, int size) => new(kind, null, size);

    /// <summary>Within a factor of two, or both small: what a picture of much the same takes.</summary>
    public bool IsRoughlyAsLargeAs(OutputPart other) =>
        Math.Max(Size, other.Size) <= 2 * Math.Min(Size, other.Size) || Math.Abs(Size - other.Size) <= Negligible;
}
