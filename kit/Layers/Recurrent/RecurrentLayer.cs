using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>State of a recurrent layer.</summary>
/// <param name="Hidden">[layers · directions, batch, hidden].</param>
/// <param name="Cell">Cell state of an LSTM, of the same shape; null for a GRU.</param>
public sealed record RecurrentState(Tensor Hidden, Tensor? Cell = null);

/// <summary>Output and final state of a recurrent layer.</summary>
/// <param name="Output">Hidden state of the top layer at each time step, [batch, time, directions · hidden];
/// zero beyond the length of a sequence.</param>
/// <param name="State">State after the last time step of each sequence.</param>
public sealed record RecurrentOutput(Tensor Output, RecurrentState State);

/// <summary>A recurrent neural network over sequences: <see cref="Lstm"/> or <see cref="Gru"/>.</summary>
/// <remarks>
/// Parameter names, layouts and initialization are those of <c>torch.nn.LSTM</c> and <c>torch.nn.GRU</c>.
/// </remarks>
public abstract class RecurrentLayer : Module<Tensor, Tensor>
{
    private readonly List<string> names = [];   // the parameter objects are replaced when the module moves

    private protected RecurrentLayer(RecurrentShape shape, int gates, string name) : base(name)
    {
        Shape = shape.Validated();
        var rows = gates * shape.HiddenWidth;
        var bound = 1 / Math.Sqrt(shape.HiddenWidth);
        for (var layer = 0; layer < shape.Layers; layer++)
            foreach (var direction in shape.Bidirectional ? new[] { "", "_reverse" } : [""])
            {
                var inputs = layer == 0 ? shape.InputWidth : shape.Directions * shape.HiddenWidth;
                foreach (var (part, size) in new (string, long[])[] { ("weight_ih", [rows, inputs]),
                    ("weight_hh", [rows, shape.HiddenWidth]),
                    ("bias_ih", [rows]), ("bias_hh", [rows]) })
                {
                    if (!shape.HasBias && part.StartsWith("bias", StringComparison.Ordinal)) continue;
                    names.Add($"{part}_l{layer}{direction}");
                    register_parameter(names[^1], Parameter(init.uniform_(empty(size), -bound, bound)));
                }
            }
    }

    /// <summary>The shape of the network.</summary>
    public RecurrentShape Shape { get; }

    /// <summary>Reads whole sequences, starting from a zero state.</summary>
    /// <param name="x">[batch, time, channels], or [time, batch, channels] if time-major.</param>
    /// <returns>Hidden state of the top layer at each time step, [batch, time, directions · hidden], or time-major
    /// as the input.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return Read(x).Output.MoveToOuterDisposeScope();
    }

    /// <summary>Reads sequences, which may have unequal lengths and start from a given state.</summary>
    /// <param name="x">[batch, time, channels], or [time, batch, channels] if time-major.</param>
    /// <param name="lengths">Length of each sequence, int64 [batch], at least 1, in any order; null if all have
    /// full length.</param>
    /// <param name="state">State returned by an earlier call; null for zeros.</param>
    /// <exception cref="ArgumentException">The shapes do not match, or a length is out of range.</exception>
    public RecurrentOutput Read(Tensor x, Tensor? lengths = null, RecurrentState? state = null)
    {
        using var scope = NewDisposeScope();
        var batch = Check(x, lengths);
        // emulated bfloat16 products at every time step would be too slow
        using var pause = BFloat16Emulation.FitsRecurrent(x) ? Autocast.Pause(x.device_type) : null;
        x = pause is null ? x : x.to(float32);
        if (FlopTally.IsAsked) Tally(x, lengths);
        var hidden = Begin(state?.Hidden, x, batch);
        var cell = Begin(state?.Cell, x, batch);
        var dropout = training && Shape.Layers > 1 ? Shape.Dropout : 0;
        Tensor[] weights = [.. names.Select(name => get_parameter(name)!)];
        var result = Run(x, lengths?.cpu(), new RecurrentState(hidden, cell), weights, dropout);
        RecurrentMemory.Note(Shape, this is Lstm, x, result.Output, dropout, weights);
        return new RecurrentOutput(result.Output.MoveToOuterDisposeScope(),
            new RecurrentState(result.State.Hidden.MoveToOuterDisposeScope(), result.State.Cell?.MoveToOuterDisposeScope()));
    }

    private protected abstract RecurrentOutput Run(Tensor x, Tensor? lengths, RecurrentState state,
        Tensor[] parameters, double dropout);

    private long Check(Tensor x, Tensor? lengths)
    {
        var order = Shape.TimeMajor ? $"[time, batch, {Shape.InputWidth}]" : $"[batch, time, {Shape.InputWidth}]";
        var (first, second, channels) = x.Axes3(order);
        var (batch, time) = Shape.TimeMajor ? (second, first) : (first, second);
        if (channels != Shape.InputWidth || batch == 0 || time == 0)
            throw new ArgumentException($"Got {x.ShapeText()}; expected {order}, no axis of length 0.", nameof(x));
        if (lengths is null) return batch;
        if (lengths.dtype != ScalarType.Int64 || !lengths.shape.SequenceEqual([batch]))
            throw new ArgumentException($"The lengths are {lengths.dtype} {lengths.ShapeText()}; expected Int64 [{batch}].",
                nameof(lengths));
        using var here = lengths.cpu();
        foreach (var length in here.data<long>())
            if (length < 1 || length > time)
                throw new ArgumentException($"A length is {length}; expected 1 to {time}, the longest sequence.",
                    nameof(lengths));
        return batch;
    }

    /// <summary>Counts the multiplications: each time step uses each weight once.</summary>
    private void Tally(Tensor x, Tensor? lengths)
    {
        using var vectors = lengths?.sum();
        var weights = names.Where(name => name.StartsWith("weight", StringComparison.Ordinal))
            .Sum(name => get_parameter(name)!.numel());
        var steps = (double)(vectors?.item<long>() ?? x.numel() / Shape.InputWidth);
        var trains = get_parameter(names[0])!.requires_grad;
        // the first layer's product with the input has no gradient of the input where that needs none
        var first = x.requires_grad ? 0 : names.Where(name => name.StartsWith("weight_ih_l0", StringComparison.Ordinal))
            .Sum(name => get_parameter(name)!.numel());
        FlopTally.Add(steps * (weights - first), ProductKind.Linear, trains ? 2 : x.requires_grad ? 1 : 0);
        if (first > 0) FlopTally.Add(steps * first, ProductKind.Linear, trains ? 1 : 0);
    }

    private Tensor Begin(Tensor? given, Tensor x, long batch)
    {
        long[] shape = [Shape.Layers * Shape.Directions, batch, Shape.HiddenWidth];
        if (given is null) return zeros(shape, x.dtype, x.device);
        return given.shape.SequenceEqual(shape) ? given
            : throw new ArgumentException($"Got a state {given.ShapeText()}; expected [layers · directions, batch, hidden] = "
                + $"[{string.Join(", ", shape)}].", nameof(given));
    }
}
