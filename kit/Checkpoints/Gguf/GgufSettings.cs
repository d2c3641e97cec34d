using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>A GGUF file of one architecture, whose values and tensors are read by name.</summary>
internal sealed class GgufSettings
{
    private readonly string path, architecture;
    private readonly GgufFile file;

    /// <exception cref="InvalidDataException">The file is damaged or of another architecture.</exception>
    public GgufSettings(string path, string architecture)
    {
        (this.path, this.architecture) = (path, architecture);
        file = GgufFile.Open(path);
        if (file.Architecture != architecture)
            throw new InvalidDataException($"{path} holds the architecture '{file.Architecture}'; expected {architecture}.");
    }

    public bool Has(string tensor) => file.Tensors.Any(one => one.Name == tensor);

    /// <summary>Rows of a matrix.</summary>
    public int Rows(string tensor) => file.Tensors.FirstOrDefault(one => one.Name == tensor) is { Shape: [var rows, _] }
        ? checked((int)rows) : throw new InvalidDataException($"{path} lacks the matrix {tensor}.");

    public int Size(string name, int? missing = null) => Value(name) switch
    {
        long number when number is >= 1 and <= int.MaxValue => (int)number,
        null when missing is { } given => given,
        var value => throw Bad(name, value, "a size of at least 1"),
    };

    /// <summary>A truth value; false where it is missing.</summary>
    public bool Flag(string name) => Value(name) is true;

    public double Number(string name, double? missing = null) => Value(name) switch
    {
        double number when double.IsFinite(number) => number,
        null when missing is { } given => given,
        var value => throw Bad(name, value, "a number"),
    };

    /// <summary>Reads all parameters of a model that has none yet.</summary>
    public void Fill(nn.Module model, IReadOnlyList<GgufEntry> entries)
    {
        using var noGrad = no_grad();
        var stored = file.Tensors.ToDictionary(tensor => tensor.Name);
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        foreach (var entry in entries)
        {
            using var scope = NewDisposeScope();
            if (!stored.ContainsKey(entry.Name)) throw new InvalidDataException($"{path} lacks {entry.Name}.");
            var read = entry.FromFile(file.Read(entry.Name)).contiguous();
            var parameter = parameters[entry.Parameter];
            if (!read.shape.SequenceEqual(parameter.shape))
                throw new InvalidDataException($"{path}: {entry.Name} is {read.ShapeText()} in the model's layout; "
                    + $"expected {parameter.ShapeText()}.");
            NativeTensors.Assign(parameter, read);
        }
        if (parameters.Keys.Except(entries.Select(entry => entry.Parameter)).FirstOrDefault() is { } missing)
            throw new InvalidDataException($"{path} holds nothing for {missing}.");
    }

    private object? Value(string name) => file.Values.GetValueOrDefault($"{architecture}.{name}");

    private InvalidDataException Bad(string name, object? value, string expected) =>
        new($"{path}: {architecture}.{name} is {value ?? "missing"}; expected {expected}.");
}
