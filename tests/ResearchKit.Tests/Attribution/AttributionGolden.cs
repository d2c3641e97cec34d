using System.Text.Json;
using ResearchKit.Attribution;
using ResearchKit.Checkpoints;
using ResearchKit.Interpretability;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Tests.Attribution;

/// <summary>A small network with the reference's weights, an input, and what Captum says of it.</summary>
internal sealed class AttributionGolden : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Dictionary<string, Tensor> tensors;
    private readonly JsonElement tolerances;

    /// <param name="name">Name of the case, such as <c>cnn_501</c>.</param>
    public AttributionGolden(string name)
    {
        tensors = SafetensorsFile.Read(PathTo($"{name}.safetensors"));
        tolerances = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(PathTo("cases.json"))).GetProperty(name)
            .GetProperty("tensors");
        Model = name[..4] switch
        {
            "cnn_" => new Convolutional(),
            "atte" => new OneHead(),
            _ => new Mlp(name.Contains("tanh", StringComparison.Ordinal)),
        };
        using var noGrad = no_grad();
        foreach (var (key, parameter) in Model.state_dict()) parameter.copy_(tensors[$"weight/{key}"]);
        Target = Target.Logit(Input("targets").data<long>().ToArray(), null);
    }

    public Module<Tensor, Tensor> Model { get; }

    public Target Target { get; }

    public Tensor Input(string name) => tensors[$"input/{name}"];

    public AttributionMap Attribute(AttributionMethod method, string input = "x") =>
        method.Attribute(Model, Input(input), Target);

    /// <summary>Compares attributions, and their gaps where the reference has them.</summary>
    public void Check(string name, AttributionMethod method, string input = "x")
    {
        var map = Attribute(method, input);
        Check(name, map.Values);
        if (tensors.ContainsKey($"out/{name}_delta")) Check($"{name}_delta", tensor(map.Gaps.ToArray(), float64));
    }

    public void Check(string name, Tensor actual, double least = 0) => Near.Check(name, tensors[$"out/{name}"].to(float64),
        actual.to(float64), Math.Max(least, tolerances.GetProperty(name).GetProperty("tolerance_abs").GetDouble()));

    public void Dispose()
    {
        Model.Dispose();
        scope.Dispose();
    }

    private static string PathTo(string file) => Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "interp", file);

    private sealed class Convolutional : Module<Tensor, Tensor>
    {
        private readonly Module<Tensor, Tensor> conv1 = Conv2d(1, 4, 3, padding: 1), relu1 = ReLU(), pool = MaxPool2d(2),
            conv2 = Conv2d(4, 8, 3, padding: 1), relu2 = ReLU(), mean = AdaptiveAvgPool2d(1), fc = Linear(8, 3);

        public Convolutional() : base(nameof(Convolutional)) => RegisterComponents();

        public override Tensor forward(Tensor x) =>
            fc.call(mean.call(relu2.call(conv2.call(pool.call(relu1.call(conv1.call(x)))))).flatten(1));
    }

    private sealed class Mlp : Module<Tensor, Tensor>
    {
        private readonly Module<Tensor, Tensor> fc1 = Linear(6, 16), fc2 = Linear(16, 16), fc3 = Linear(16, 3), act1, act2;

        public Mlp(bool tanh) : base(nameof(Mlp))
        {
            act1 = tanh ? Tanh() : ReLU();
            act2 = tanh ? Tanh() : ReLU();
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => fc3.call(act2.call(fc2.call(act1.call(fc1.call(x)))));
    }

    private sealed class OneHead : Module<Tensor, Tensor>
    {
        private readonly Module<Tensor, Tensor> emb = Embedding(20, 8), q = Linear(8, 8), k = Linear(8, 8), v = Linear(8, 8),
            o = Linear(8, 8), cls = Linear(8, 3);

        public OneHead() : base(nameof(OneHead)) => RegisterComponents();

        public override Tensor forward(Tensor tokens)
        {
            var e = emb.call(tokens);
            var a = q.call(e).matmul(k.call(e).transpose(1, 2)).div(Math.Sqrt(8)).softmax(-1);
            return cls.call((e + o.call(a.matmul(v.call(e)))).mean([1]));
        }
    }
}
