using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Adds the layers of a model to a graph, with the model's weights under their own names.</summary>
/// <remarks>It lives inside a dispose scope, which frees its tensors.</remarks>
internal sealed class OnnxBuilder(nn.Module model, OnnxOptions options)
{
    private readonly Dictionary<string, Tensor> weights = model.state_dict();
    private readonly Dictionary<string, string[]> rounded = [];

    public OnnxGraph Graph { get; } = new();

    public OnnxOptions Options => options;

    public bool Has(string name) => weights.ContainsKey(name);

    /// <summary>Shape of a parameter or buffer.</summary>
    public long[] Shape(string name) => Tensor(name).shape;

    public Tensor Tensor(string name) => weights.TryGetValue(name, out var tensor) ? tensor.detach()
        : throw new ArgumentException($"The model has no tensor {name}, which its ONNX file needs.");

    /// <summary>A parameter or buffer as float32.</summary>
    public string Weight(string name) => Graph.Constant(name, () => Tensor(name).to(ScalarType.Float32));

    /// <summary>A submodule by its name.</summary>
    public T Module<T>(string name) where T : nn.Module => (T)model.named_modules().First(pair => pair.name == name).module;

    /// <summary>x Wᵀ + b, in the precision of the options.</summary>
    /// <param name="x">[..., in].</param>
    /// <param name="name">Name of the layer; its bias may be missing.</param>
    /// <param name="isTransposed">Whether its weight is stored as [in, out].</param>
    public string Linear(string x, string name, bool isTransposed = false) => Biased(
        options.Precision == OnnxPrecision.EightBits ? Integers(x, $"{name}.weight", isTransposed)
            : Graph.Node("MatMul", [x, Matrix($"{name}.weight", isTransposed)]), $"{name}.bias");

    /// <summary>The layer that makes the logits; float32 unless the options say otherwise.</summary>
    /// <param name="x">[..., in].</param>
    /// <param name="weight">Name of the weight [out, in], which may be that of the embeddings.</param>
    /// <param name="bias">Name of the bias; it may be missing.</param>
    public string Head(string x, string weight, string bias)
    {
        if (options is { Precision: OnnxPrecision.EightBits, QuantizesHead: true })
            return Biased(Integers(x, weight, false), bias);
        // one copy of the weight, where the embeddings share it
        var matrix = Graph.Constants.ContainsKey(weight) ? Graph.Node("Transpose", [weight], ("perm", new long[] { 1, 0 }))
            : Matrix(weight, false);
        return Biased(Graph.Node("MatMul", [x, matrix]), bias);
    }

    public string Add(string x, string y) => Graph.Node("Add", [x, y]);

    public string Multiply(string x, string y) => Graph.Node("Mul", [x, y]);

    public string Relu(string x) => Graph.Node("Relu", [x]);

    /// <summary>Rows of a table by their number.</summary>
    public string Rows(string table, string numbers) => Graph.Node("Gather", [table, numbers]);

    /// <summary>Another shape; 0 keeps a size, −1 stands for the rest.</summary>
    public string Reshape(string x, params long[] sizes) => Graph.Node("Reshape", [x, Graph.Numbers(sizes)]);

    public string Transpose(string x, params long[] order) => Graph.Node("Transpose", [x], ("perm", order));

    public string Apply(Activation activation, string x) => activation switch
    {
        Activation.Relu => Relu(x),
        Activation.Gelu => Graph.Node("Gelu", [x]),
        Activation.GeluTanh => Graph.Node("Gelu", [x], ("approximate", "tanh")),
        Activation.Tanh => Graph.Node("Tanh", [x]),
        Activation.Silu => Multiply(x, Graph.Node("Sigmoid", [x])),
        Activation.QuickGelu => Multiply(x, Graph.Node("Sigmoid", [Multiply(x, Graph.Number(1.702))])),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "Not an activation."),
    };

    public string LayerNorm(string x, string name, double epsilon) => Graph.Node("LayerNormalization",
        [x, Weight($"{name}.weight"), Weight($"{name}.bias")], ("axis", -1), ("epsilon", epsilon));

    public string RmsNorm(string x, string name, double epsilon)
    {
        var square = Graph.Node("ReduceMean", [Graph.Node("Pow", [x, Graph.Number(2)]), Graph.Numbers(-1)], ("keepdims", 1));
        var root = Graph.Node("Sqrt", [Add(square, Graph.Number(epsilon))]);
        return Multiply(Graph.Node("Div", [x, root]), Weight($"{name}.weight"));
    }

    private string Biased(string product, string bias) => Has(bias) ? Add(product, Weight(bias)) : product;

    /// <summary>A weight as [in, out], to be multiplied from the right.</summary>
    private string Matrix(string name, bool isTransposed) => isTransposed ? Weight(name)
        : Graph.Constant($"{name} transposed", () => Tensor(name).to(ScalarType.Float32).t());

    /// <summary>The product in integers: the input is rounded to 8 bits as it comes, the sum is scaled back.</summary>
    private string Integers(string x, string name, bool isTransposed)
    {
        var codes = $"{name} codes";
        if (!Graph.Constants.ContainsKey(codes))
        {
            using var scope = NewDisposeScope();
            var weight = Tensor(name);
            var scheme = QuantizationScheme.EightBits with { Bits = options.ReducesRange ? 7 : 8 };
            using var made = QuantizedTensor.Round(isTransposed ? weight.t() : weight, scheme);
            var (matrix, scales) = (made.Codes.t().contiguous(), made.Scales.view(-1).clone());
            Graph.Constant(codes, () => matrix.MoveToOuterDisposeScope());
            Graph.Constant($"{name} scales", () => scales.MoveToOuterDisposeScope());
        }
        if (!rounded.TryGetValue(x, out var input)) rounded[x] = input = Graph.Node("DynamicQuantizeLinear", 3, [x]);
        var zero = Graph.Constant("zero", () => zeros([], ScalarType.Int8));
        var sum = Graph.Node("Cast", [Graph.Node("MatMulInteger", [input[0], codes, input[2], zero])], ("to", 1));
        return Multiply(sum, Multiply(input[1], $"{name} scales"));
    }
}
