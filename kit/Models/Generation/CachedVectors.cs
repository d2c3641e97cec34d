using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>The keys, or the values, of one layer in a key-value cache.</summary>
internal abstract class CachedVectors : IDisposable
{
    /// <summary>Rows of the batch.</summary>
    public abstract long Batch { get; }

    /// <summary>Number of tokens that there is room for.</summary>
    public required long Length { get; init; }

    /// <summary>Memory in bytes, of the whole room.</summary>
    public abstract long Bytes { get; }

    /// <summary>Makes room for vectors.</summary>
    /// <param name="like">Vectors [batch, head, time, d_head], for shape, dtype and device.</param>
    /// <param name="capacity">Largest number of tokens.</param>
    /// <param name="isInt8">Whether they are stored as codes of 8 bits.</param>
    public static CachedVectors Room(Tensor like, long capacity, bool isInt8) =>
        isInt8 ? new Int8Vectors(like, capacity) { Length = capacity } : new PlainVectors(like, capacity) { Length = capacity };

    /// <summary>Writes vectors [batch, head, time, d_head] at a position.</summary>
    public abstract void Write(Tensor vectors, long position);

    /// <summary>The first vectors, [batch, head, <paramref name="length"/>, d_head].</summary>
    public abstract Tensor Read(long length);

    /// <summary>Row i becomes the previous row <paramref name="rows"/>[i].</summary>
    public abstract void Reorder(Tensor rows);

    public abstract void Dispose();

    /// <summary>Replaces a tensor by chosen rows of it.</summary>
    private protected static void Choose(ref Tensor tensor, Tensor rows)
    {
        var chosen = tensor.index_select(0, rows).DetachFromDisposeScope();
        tensor.Dispose();
        tensor = chosen;
    }

    private protected static Tensor Room(Tensor like, long capacity, long width, ScalarType dtype) =>
        empty([like.shape[0], like.shape[1], capacity, width], dtype, like.device).DetachFromDisposeScope();
}

/// <summary>Vectors as they are.</summary>
internal sealed class PlainVectors(Tensor like, long capacity) : CachedVectors
{
    private Tensor held = Room(like, capacity, like.shape[3], like.dtype);

    /// <summary>[batch, head, capacity, d_head].</summary>
    public Tensor Held => held;

    public override long Batch => held.shape[0];

    public override long Bytes => held.numel() * held.element_size();

    public override void Write(Tensor vectors, long position)
    {
        using var place = held.narrow(2, position, vectors.shape[2]);
        place.copy_(vectors);
    }

    public override Tensor Read(long length) => held.narrow(2, 0, length);

    public override void Reorder(Tensor rows) => Choose(ref held, rows);

    public override void Dispose() => held.Dispose();
}

/// <summary>Vectors as codes from −127 to 127, with a scale for each token and head.</summary>
internal sealed class Int8Vectors(Tensor like, long capacity) : CachedVectors
{
    private const double LargestCode = 127;
    private readonly ScalarType dtype = like.dtype;
    private Tensor codes = Room(like, capacity, like.shape[3], ScalarType.Int8);
    private Tensor scales = Room(like, capacity, 1, ScalarType.Float32);   // [batch, head, capacity, 1]

    public override long Batch => codes.shape[0];

    public override long Bytes => codes.numel() + (scales.numel() * scales.element_size());

    public override void Write(Tensor vectors, long position)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var wide = vectors.detach().to(ScalarType.Float32);
        var largest = wide.abs().amax([-1], keepdim: true);
        var steps = largest.masked_fill(largest == 0, LargestCode) / LargestCode;
        codes.narrow(2, position, vectors.shape[2]).copy_((wide / steps).round_());
        scales.narrow(2, position, vectors.shape[2]).copy_(steps);
    }

    public override Tensor Read(long length)
    {
        using var scope = NewDisposeScope();
        return (codes.narrow(2, 0, length).to(ScalarType.Float32) * scales.narrow(2, 0, length)).to(dtype)
            .MoveToOuterDisposeScope();
    }

    public override void Reorder(Tensor rows)
    {
        Choose(ref codes, rows);
        Choose(ref scales, rows);
    }

    public override void Dispose()
    {
        codes.Dispose();
        scales.Dispose();
    }
}
