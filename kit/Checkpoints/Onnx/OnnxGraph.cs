using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>A computation in the ONNX format, put together node by node; each value is known by its name.</summary>
/// <remarks>https://onnx.ai/onnx/repo-docs/IR.html; field numbers: onnx.proto.</remarks>
internal sealed class OnnxGraph
{
    private const int Nodes = 1, Name = 2, Inputs = 11, Outputs = 12;
    private readonly ProtoMessage body = new ProtoMessage().Text(Name, "graph");
    private readonly Dictionary<string, Tensor> constants = [];
    private int values;

    /// <summary>Nodes, inputs and outputs: the message of the graph without its constants.</summary>
    public ProtoMessage Body => body;

    /// <summary>Numbers that are part of the graph, by name.</summary>
    public IReadOnlyDictionary<string, Tensor> Constants => constants;

    /// <summary>What the graph is given.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">Its dtype.</param>
    /// <param name="axes">Sizes; an axis of any size has a name instead.</param>
    public string Input(string name, ScalarType type, params object[] axes)
    {
        body.Add(Inputs, Described(name, type, axes));
        return name;
    }

    /// <summary>What the graph results in.</summary>
    /// <param name="value">The value.</param>
    /// <param name="name">Its name outside.</param>
    /// <param name="axes">Sizes; an axis of any size has a name instead.</param>
    public void Output(string value, string name, params object[] axes)
    {
        body.Add(Nodes, Message("Identity", [value], [name], []));
        body.Add(Outputs, Described(name, ScalarType.Float32, axes));
    }

    /// <summary>Numbers that are part of the graph; the same name stands for the same numbers.</summary>
    public string Constant(string name, Func<Tensor> make)
    {
        if (!constants.ContainsKey(name)) constants.Add(name, make());
        return name;
    }

    /// <summary>A number.</summary>
    public string Number(double value) => Constant($"number {value:R}", () => tensor((float)value));

    /// <summary>Whole numbers, for operations that take sizes, axes or indices as an input.</summary>
    public string Numbers(params long[] values) => Constant($"numbers {string.Join(' ', values)}", () => tensor(values));

    /// <summary>An operation with one result.</summary>
    public string Node(string operation, string[] inputs, params (string Name, object Value)[] attributes) =>
        Node(operation, 1, inputs, attributes)[0];

    /// <summary>An operation with several results.</summary>
    public string[] Node(string operation, int results, string[] inputs, params (string Name, object Value)[] attributes)
    {
        string[] outputs = [.. Enumerable.Range(0, results).Select(_ => $"value {values++}")];
        body.Add(Nodes, Message(operation, inputs, outputs, attributes));
        return outputs;
    }

    /// <summary>ONNX's number of a dtype.</summary>
    public static int TypeOf(ScalarType type) => type switch
    {
        ScalarType.Float32 => 1,
        ScalarType.Byte => 2,
        ScalarType.Int8 => 3,
        ScalarType.Int32 => 6,
        ScalarType.Int64 => 7,
        ScalarType.Bool => 9,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a dtype of our ONNX files."),
    };

    private static ProtoMessage Message(string operation, string[] inputs, string[] outputs,
        (string Name, object Value)[] attributes)
    {
        var node = new ProtoMessage();
        foreach (var input in inputs) node.Text(1, input);
        foreach (var output in outputs) node.Text(2, output);
        node.Text(4, operation);
        foreach (var (name, value) in attributes) node.Add(5, Attribute(name, value));
        return node;
    }

    private static ProtoMessage Attribute(string name, object value)
    {
        var attribute = new ProtoMessage().Text(1, name);
        switch (value)
        {
            case double number: return attribute.Number(2, (float)number).Number(20, 1);
            case int number: return attribute.Number(3, number).Number(20, 2);
            case string text: return attribute.Text(4, text).Number(20, 3);
            default:
                foreach (var number in (long[])value) attribute.Number(8, number);
                return attribute.Number(20, 7);
        }
    }

    private static ProtoMessage Described(string name, ScalarType type, object[] axes)
    {
        var shape = new ProtoMessage();
        foreach (var axis in axes)
            shape.Add(1, axis is string named ? new ProtoMessage().Text(2, named)
                : new ProtoMessage().Number(1, Convert.ToInt64(axis, null)));
        var typed = new ProtoMessage().Number(1, TypeOf(type)).Add(2, shape);
        return new ProtoMessage().Text(1, name).Add(2, new ProtoMessage().Add(1, typed));
    }
}
