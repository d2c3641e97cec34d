using System.Text.Json;
using ResearchKit.Checkpoints;
using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Saves and loads quantized models: codes and scales beside the other tensors, in one safetensors file.</summary>
/// <remarks>
/// A quantized layer NAME has <c>NAME.codes</c> (int8 or uint8 [out, in]; two 4-bit codes a byte, the first in the upper half),
/// <c>NAME.scales</c>, and <c>NAME.zero_points</c> and <c>NAME.input_scale</c> where it has them. The header's text
/// <c>quantization</c> has the scheme of each layer as JSON.
/// </remarks>
public static class QuantizedFiles
{
    private const string Key = "quantization", Codes = ".codes", Scales = ".scales", ZeroPoints = ".zero_points",
        InputScale = ".input_scale", Weight = "weight";

    /// <summary>Saves a quantized model.</summary>
    /// <param name="model">A model that <see cref="Quantization"/> changed by <c>Quantize</c>.</param>
    /// <param name="path">The file; it is replaced as a whole.</param>
    /// <exception cref="InvalidOperationException">The model is not quantized, or is packed.</exception>
    public static void Save(nn.Module model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        var weights = Quantized(model);
        if (weights.Count == 0) throw new InvalidOperationException("The model is not quantized; StateDict saves it.");
        using var scope = NewDisposeScope();
        var tensors = Others(model, weights.Keys);
        var schemes = new Dictionary<string, StoredScheme>();
        foreach (var (name, weight) in weights)
        {
            using var codes = weight.Codes();
            tensors[name + Codes] = IsPacked(weight.Scheme, codes.Codes.numel())
                ? codes.PackNibbles().view(codes.Codes.shape[0], -1) : codes.Codes.alias();
            tensors[name + Scales] = codes.Scales.alias();
            if (codes.ZeroPoints is { } zeros) tensors[name + ZeroPoints] = zeros.alias();
            if (weight.InputScale is { } scale) tensors[name + InputScale] = tensor(scale);
            schemes[name] = StoredScheme.Of(weight.Scheme, weight.Inputs);
        }
        SafetensorsFile.Write(path, tensors, new Dictionary<string, string> { [Key] = JsonSerializer.Serialize(schemes) });
    }

    /// <summary>Loads a quantized model into an ordinary one of the same architecture, which becomes quantized.</summary>
    /// <param name="model">The model; its weights are replaced.</param>
    /// <param name="path">A file of <see cref="Save"/>.</param>
    /// <exception cref="InvalidDataException">
    /// The file is malformed, is no quantized model, or does not fit the model; the model is as it was.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model is packed, quantized, or has adapters; it is as it was.</exception>
    public static void Load(nn.Module model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        Packing.Refuse(model, "loaded");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var reader = CheckpointReader.Open(path);
        var schemes = Schemes(reader.Metadata, path);
        var offered = IQuantizableLayer.Of(model).ToDictionary(one => one.Name, one => one.Layer);
        var tensors = reader.ReadAll();
        var read = new List<(IQuantizableLayer, QuantizedTensor, float?)>();
        try
        {
            foreach (var (name, stored) in schemes)
            {
                if (!offered.TryGetValue(name, out var layer))
                    throw new InvalidDataException($"{path} has codes for {name}, which is no linear layer or convolution of "
                        + "the model.");
                if (layer.Adapter is not null)
                    throw new InvalidOperationException($"{name} has an adapter; load into a plain model.");
                using var matrix = layer.Matrix();
                var (codes, inputScale) = Read(name, stored, tensors, matrix, path);
                read.Add((layer, codes, inputScale));
            }
            var own = Others(model, schemes.Keys);
            Fit(own, tensors, path);
            foreach (var (name, tensor) in own) tensor.copy_(tensors[name]);
            QuantizedModel.Hold(model, read);
        }
        finally
        {
            foreach (var (_, codes, _) in read) codes.Dispose();
        }
    }

    private static Dictionary<string, QuantizedWeight> Quantized(nn.Module model) => model.named_modules()
        .Where(pair => pair.module is QuantizedWeight)
        .ToDictionary(pair => pair.name[..Math.Max(0, pair.name.LastIndexOf('.'))], pair => (QuantizedWeight)pair.module);

    /// <summary>Parameters and buffers other than the weights of quantized layers.</summary>
    private static Dictionary<string, Tensor> Others(nn.Module model, IEnumerable<string> quantized)
    {
        var weights = quantized.Select(name => name.Length == 0 ? Weight : $"{name}.{Weight}").ToHashSet();
        return model.named_parameters().Select(pair => (pair.name, Tensor: (Tensor)pair.parameter))
            .Concat(model.named_buffers().Select(pair => (pair.name, Tensor: pair.buffer)))
            .Where(pair => !weights.Contains(pair.name)).ToDictionary(pair => pair.name, pair => pair.Tensor);
    }

    private static Dictionary<string, StoredScheme> Schemes(IReadOnlyDictionary<string, string> metadata, string path)
    {
        if (!metadata.TryGetValue(Key, out var text))
            throw new InvalidDataException($"{path} is no quantized model: its header has no '{Key}'.");
        try
        {
            var schemes = JsonSerializer.Deserialize<Dictionary<string, StoredScheme>>(text);
            return schemes is { Count: > 0 } && schemes.Values.All(scheme => scheme is not null) ? schemes
                : throw new InvalidDataException($"The '{Key}' of {path} names no layer.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"The '{Key}' of {path} is not understood: {error.Message}", error);
        }
    }

    private static (QuantizedTensor, float?) Read(
        string name, StoredScheme stored, Dictionary<string, Tensor> tensors, Tensor matrix, string path)
    {
        var scheme = stored.Scheme($"{path}, {name}");
        var (outputs, inputs) = matrix.Axes2();
        var groups = Checked(() => scheme.GroupsOf(inputs), $"{path}, {name}");
        var isPacked = IsPacked(scheme, outputs * inputs);
        Tensor Take(string part, ScalarType type, params long[] shape)
        {
            if (!tensors.TryGetValue(name + part, out var tensor))
                throw new InvalidDataException($"{path} lacks {name}{part}.");
            return tensor.dtype == type && tensor.shape.SequenceEqual(shape) ? tensor : throw new InvalidDataException(
                $"{name}{part} of {path} is {tensor.dtype} {tensor.ShapeText()}; the model needs {type} "
                + $"[{string.Join(", ", shape)}].");
        }
        if (isPacked && inputs % 2 != 0)
            throw new InvalidDataException($"{path}, {name}: rows of {inputs} 4-bit codes cannot be packed in pairs.");
        var bytes = Take(Codes, isPacked ? ScalarType.Byte : scheme.CodeType, outputs, isPacked ? inputs / 2 : inputs);
        var codes = isPacked ? Unpacked(bytes, scheme).view(outputs, inputs) : bytes.alias();
        var (lowest, highest) = (codes.min().to(ScalarType.Int64).item<long>(), codes.max().to(ScalarType.Int64).item<long>());
        if (lowest < scheme.LowestCode || highest > scheme.HighestCode)
            throw new InvalidDataException($"{name}{Codes} of {path} range from {lowest} to {highest}; codes of {scheme} are "
                + $"{scheme.LowestCode} to {scheme.HighestCode}.");
        long[] shape = scheme.Granularity == ScaleGranularity.Tensor ? [1, 1] : [outputs, groups];
        var scales = Take(Scales, ScalarType.Float32, shape);
        if (!scales.isfinite().all().item<bool>())
            throw new InvalidDataException($"{name}{Scales} of {path} hold NaN or infinity.");
        var hasFractions = tensors.GetValueOrDefault(name + ZeroPoints)?.dtype == ScalarType.Float32;   // those of HQQ
        var zeros = scheme.IsSymmetric || scheme.CodeBook is not null ? null
            : Take(ZeroPoints, hasFractions ? ScalarType.Float32 : ScalarType.Byte, shape);
        if (hasFractions && zeros is not null && !zeros.isfinite().all().item<bool>())
            throw new InvalidDataException($"{name}{ZeroPoints} of {path} hold NaN or infinity.");
        float? inputScale = scheme.Inputs == QuantizedInputs.StaticEightBits
            ? Take(InputScale, ScalarType.Float32).item<float>() : null;
        if (inputScale is not (null or (> 0 and < float.PositiveInfinity)))
            throw new InvalidDataException($"{name}{InputScale} of {path} is {inputScale}; expected a number above 0.");
        return (new QuantizedTensor(scheme, [outputs, inputs], codes.clone(), scales.clone(), zeros?.clone()), inputScale);
    }

    private static bool IsPacked(QuantizationScheme scheme, long codes) => scheme.Bits <= 4 && codes % 2 == 0;

    private static Tensor Unpacked(Tensor bytes, QuantizationScheme scheme)
    {
        var wide = bytes.to(ScalarType.Int16).view(-1);
        return (stack([wide.bitwise_right_shift(4), wide.bitwise_and(15)], 1) + scheme.LowestCode).to(scheme.CodeType);
    }

    private static void Fit(Dictionary<string, Tensor> own, Dictionary<string, Tensor> tensors, string path)
    {
        foreach (var (name, tensor) in own)
            if (!tensors.TryGetValue(name, out var given)) throw new InvalidDataException($"{path} lacks {name}.");
            else if (!given.shape.SequenceEqual(tensor.shape))
                throw new InvalidDataException(
                    $"{name} of {path} is {given.ShapeText()}; the model has {tensor.ShapeText()}.");
    }

    private static T Checked<T>(Func<T> read, string place)
    {
        try
        {
            return read();
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException($"{place}: {error.Message}", error);
        }
    }

    /// <summary>A scheme as JSON.</summary>
    private sealed record StoredScheme
    {
        public int Bits { get; init; }
        public bool Symmetric { get; init; }
        public bool FullRange { get; init; }
        public string Granularity { get; init; } = nameof(ScaleGranularity.Row);
        public int GroupSize { get; init; }
        public string? CodeBook { get; init; }
        public string Inputs { get; init; } = nameof(QuantizedInputs.Unrounded);

        public static StoredScheme Of(QuantizationScheme scheme, long columns) => new()
        {
            Bits = scheme.Bits,
            Symmetric = scheme.IsSymmetric,
            FullRange = scheme.UsesFullRange,
            Granularity = scheme.Granularity.ToString(),
            GroupSize = scheme.Granularity == ScaleGranularity.Group ? scheme.GroupSize : (int)columns,
            CodeBook = scheme.CodeBook?.Name,
            Inputs = scheme.Inputs.ToString(),
        };

        public QuantizationScheme Scheme(string place)
        {
            if (!Enum.TryParse<ScaleGranularity>(Granularity, out var granularity)
                || !Enum.TryParse<QuantizedInputs>(Inputs, out var inputs)
                || !Enum.IsDefined(granularity) || !Enum.IsDefined(inputs)
                || CodeBook is not (null or "nf4"))
                throw new InvalidDataException(
                    $"{place}: the scheme '{Granularity}', '{Inputs}', code book '{CodeBook}' is not known.");
            var scheme = new QuantizationScheme
            {
                Bits = Bits,
                IsSymmetric = Symmetric,
                UsesFullRange = FullRange,
                Granularity = granularity,
                GroupSize = GroupSize,
                CodeBook = CodeBook is null ? null : Tensors.CodeBook.Nf4,
                Inputs = inputs,
            };
            return Checked(() =>
            {
                scheme.Check();
                return scheme;
            }, place);
        }
    }
}
