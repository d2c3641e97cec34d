using Google.Protobuf;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Onnx;

/// <summary>A computation in the ONNX format, put together node by node; each is known by the name of what it gives.</summary>
internal sealed class OnnxGraph
{
    private readonly GraphProto graph = new() { Name = "graph" };

    /// <summary>What the graph is given, of this tensor's shape and dtype.</summary>
    public string Input(Tensor like)
    {
        var type = new TypeProto.Types.Tensor { ElemType = DataType(like), Shape = new TensorShapeProto() };
        type.Shape.Dim.Add(like.shape.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        graph.Input.Add(new ValueInfoProto { Name = "input", Type = new TypeProto { TensorType = type } });
        return "input";
    }

    /// <summary>Numbers that are part of the graph.</summary>
    public string Constant(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var constant = new TensorProto
        {
            Name = $"constant{graph.Initializer.Count}",
            DataType = DataType(tensor),
            RawData = ByteString.CopyFrom(tensor.detach().contiguous().bytes),
        };
        constant.Dims.Add(tensor.shape);
        graph.Initializer.Add(constant);
        return constant.Name;
    }

    /// <summary>A shape, for an operation that takes it as an input.</summary>
    public string Shape(params long[] sizes)
    {
        using var tensor = torch.tensor(sizes);
        return Constant(tensor);
    }

    /// <summary>An operation with one result.</summary>
    public string Node(string operation, string[] inputs, params AttributeProto[] attributes) =>
        Node(operation, inputs, 1, attributes)[0];

    /// <summary>An operation with several results.</summary>
    public string[] Node(string operation, string[] inputs, int results, params AttributeProto[] attributes)
    {
        var node = new NodeProto
        {
            OpType = operation,
            Name = $"node{graph.Node.Count}",
            Output = { Enumerable.Range(0, results).Select(result => $"value{graph.Node.Count}-{result}") }
        };
        node.Input.Add(inputs);
        node.Attribute.Add(attributes);
        graph.Node.Add(node);
        return [.. node.Output];
    }

    /// <summary>The bytes of a file whose result is this value, float32.</summary>
    public byte[] Finish(string output)
    {
        var type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = TensorProto.Types.DataType.Float } };
        graph.Output.Add(new ValueInfoProto { Name = output, Type = type });
        return new ModelProto
        {
            IrVersion = 10,
            ProducerName = "ResearchKit",
            Graph = graph,
            OpsetImport = { new OperatorSetIdProto { Version = 20 } }
        }.ToByteArray();
    }

    public static AttributeProto Number(string name, long value) =>
        new() { Name = name, I = value, Type = AttributeProto.Types.AttributeType.Int };

    public static AttributeProto Number(string name, double value) =>
        new() { Name = name, F = (float)value, Type = AttributeProto.Types.AttributeType.Float };

    public static AttributeProto Numbers(string name, params long[] values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        attribute.Ints.Add(values);
        return attribute;
    }

    private static TensorProto.Types.DataType DataType(Tensor tensor) =>
        tensor.dtype switch
        {
            ScalarType.Int64 => TensorProto.Types.DataType.Int64,
            ScalarType.Int8 => TensorProto.Types.DataType.Int8,
            ScalarType.Byte => TensorProto.Types.DataType.Uint8,
            _ => TensorProto.Types.DataType.Float,
        };
}
