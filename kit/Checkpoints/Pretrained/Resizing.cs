using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Fills parameters from those of a model for another vocabulary or another image size.</summary>
internal static class Resizing
{
    /// <summary>Copies the rows that both have; further rows keep their initial values.</summary>
    /// <param name="from">Rows of the file, [tokens, ...].</param>
    /// <param name="into">Rows of the model, [tokens, ...].</param>
    /// <exception cref="InvalidDataException">They differ in another axis too.</exception>
    public static void Rows(Tensor from, Tensor into)
    {
        if (!from.shape.AsSpan(1).SequenceEqual(into.shape.AsSpan(1)))
            throw new InvalidDataException($"is {from.ShapeText()} in the file and {into.ShapeText()} in the model; "
                + "only the number of rows may differ");
        using var scope = NewDisposeScope();
        var rows = Math.Min(from.shape[0], into.shape[0]);
        into.narrow(0, 0, rows).copy_(from.narrow(0, 0, rows));
    }

    /// <summary>
    /// Interpolates the position embeddings of a vision transformer's patches, bicubically, as transformers does; the class token
    /// keeps its own.
    /// </summary>
    /// <param name="from">[1, 1 + patches, channels] of the file; the patches form a square.</param>
    /// <param name="into">[1, 1 + patches, channels] of the model.</param>
    /// <exception cref="InvalidDataException">The patches do not form a square, or the channels differ.</exception>
    public static void Positions(Tensor from, Tensor into)
    {
        long side = Side(from), target = Side(into);
        if (side * side != from.shape[1] - 1 || from.shape[2] != into.shape[2])
            throw new InvalidDataException($"is {from.ShapeText()} in the file and {into.ShapeText()} in the model; "
                + "expected a class token, a square of patches, and as many channels");
        using var scope = NewDisposeScope();
        var grid = from.narrow(1, 1, side * side).reshape(1, side, side, -1).permute(0, 3, 1, 2);   // [1, channels, row, column]
        var resized = nn.functional.interpolate(grid, size: [target, target], mode: InterpolationMode.Bicubic,
            align_corners: false)
            .permute(0, 2, 3, 1).reshape(1, target * target, -1);
        into.copy_(cat([from.narrow(1, 0, 1), resized], 1));

        static long Side(Tensor positions) => (long)Math.Sqrt(positions.shape[1] - 1);
    }
}
