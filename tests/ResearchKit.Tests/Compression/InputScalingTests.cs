using ResearchKit.Compression;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static ResearchKit.Tests.Compression.Refusal;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class InputScalingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<string, bool> Cases
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var model in Models.Keys)
            {
                data.Add(model, true);
                data.Add(model, false);
            }
            return data;
        }
    }

    private static Dictionary<string, Func<nn.Module<Tensor, Tensor>>> Models { get; } = new()
    {
        ["GPT"] = () => new Gpt(Small),
        ["GPT with ReLU"] = () => new Gpt(Small with { Activation = Activation.Relu, TieEmbeddings = false }),
        ["Llama"] = () => new Llama(LlamaConfig.Nano with { VocabularySize = 20, KeyValueHeads = 4 }),
        ["Llama, grouped"] = () => new Llama(LlamaConfig.Nano with { VocabularySize = 20 }),
        ["BERT"] = () => new Bert(BertConfig.Nano with { VocabularySize = 20 }, withPooler: false),
    };

    private static GptConfig Small =>
        GptConfig.Nano with { VocabularySize = 20, Layers = 2, ModelWidth = 32, Heads = 2, Dropout = 0 };

    public void Dispose() => scope.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Before_rounding_the_model_computes_the_same(string name, bool isAwq)
    {
        using var model = Model(name);
        using var calibration = Calibrated(model);
        var before = model.forward(Tokens());
        var schemes = calibration.Moments.Keys.ToDictionary(layer => layer, _ => QuantizationScheme.FourBits(8));
        InputScaling scaling = isAwq ? new Awq() : new SmoothQuant();
        using (var folding = WeightFolding.Find(model, scaling, schemes, calibration)) folding.Apply(new HashSet<string>());
        var after = model.forward(Tokens());
        // the law of the issue is 2e-6 of a layer's output; here it passes through two layers of a model
        Assert.InRange(((after - before).norm() / before.norm()).item<float>(), 1e-9, 4e-6);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Outputs_of_the_rounded_layers_are_better_on_the_calibration_data(string name, bool isAwq)
    {
        if (!isAwq) return;
        QuantizationReport Report(InputScaling? scaling)
        {
            using var model = Model(name);
            using var calibration = Calibrated(model);
            return Quantization.Simulate(model,
                new QuantizationPlan { Scheme = QuantizationScheme.FourBits(8), Scaling = scaling }, calibration);
        }
        double Squares(QuantizationReport report) => report.Layers.Sum(layer => Math.Pow(layer.OutputError!.Value, 2));
        Assert.InRange(Squares(Report(new Awq())), 0, 0.999 * Squares(Report(null)));
    }

    [Fact]
    public void A_layer_of_smooth_quant_is_exact_before_rounding()
    {
        using var model = Chained();
        using var calibration = Watched(model, randn([64, 16], generator: new Generator(5)) * arange(1, 17));
        var x = randn([8, 16], generator: new Generator(6));
        var before = model.forward(x);
        var schemes = new Dictionary<string, QuantizationScheme> { ["second"] = QuantizationScheme.EightBits };
        var scaling = new SmoothQuant { Sites = [new FoldSite("first", ["second"])] };
        using (var folding = WeightFolding.Find(model, scaling, schemes, calibration)) folding.Apply(new HashSet<string>());
        Near.Check("outputs", before, model.forward(x), 2e-6);
    }

    [Fact]
    public void Awq_and_gptq_work_together_with_the_one_call()
    {
        double Error(InputScaling? scaling, Rounding rounding)
        {
            using var model = Model("GPT");
            using var calibration = Calibrated(model);
            return Quantization.Simulate(model, new QuantizationPlan
            {
                Scheme = QuantizationScheme.FourBits(8),
                Rounding = rounding,
                Scaling = scaling,
            }, calibration).Layers.Sum(layer => layer.OutputError!.Value);
        }
        Assert.True(Error(new Awq(), new Gptq()) < Error(new Awq(), Rounding.Nearest));
    }

    [Fact]
    public void Places_that_do_not_exist_or_fit_are_refused_and_the_model_stays()
    {
        using var model = Chained();
        using var calibration = Watched(model, randn([64, 16]));
        var before = model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        void Fails(FoldSite[]? sites, params string[] words) => Refuses(() => Quantization.Simulate(model,
            new QuantizationPlan { Scaling = new Awq { Sites = sites } }, calibration), words);
        Fails(null, "Awq finds no place");
        Fails([new FoldSite("zeroth", ["second"])], "no module zeroth");
        Fails([new FoldSite("first", ["third"])], "Awq finds no place");
        Fails([new FoldSite("first", ["second"], FirstRow: 9)], "16 outputs", "16 from 9");
        Fails([new FoldSite("first", ["second"]), new FoldSite("first", ["second"])], "two places");
        Refuses(() => Quantization.Simulate(model,
            new QuantizationPlan { Scaling = new SmoothQuant { Alpha = 2, Sites = [new FoldSite("first", ["second"])] } },
            calibration), "Alpha is 2");
        Refuses(() => Quantization.Simulate(model, new QuantizationPlan
        {
            Scaling = new Awq
            {
                Sites = [new FoldSite("first",
            ["second"])]
            }
        }), "second", "calibrate");
        foreach (var (name, tensor) in model.state_dict()) Assert.True(before[name].Equals(tensor), name);
    }

    private static TorchSharp.Modules.Sequential Chained()
    {
        Compute.Seed(4);
        return nn.Sequential(("first", new Dense(16, 16)), ("second", new Dense(16, 4)));
    }

    private static Calibration Watched(nn.Module<Tensor, Tensor> model, Tensor x)
    {
        var calibration = Calibration.Watch(model);
        using (no_grad()) model.forward(x);
        calibration.Stop();
        return calibration;
    }

    private static Calibration Calibrated(nn.Module<Tensor, Tensor> model)
    {
        var calibration = Calibration.Watch(model);
        using (no_grad())
            for (var batch = 0; batch < 4; batch++) model.forward(Tokens(batch));
        calibration.Stop();
        return calibration;
    }

    private static Tensor Tokens(int seed = 0) => randint(0, 20, [4, 16], generator: new Generator((ulong)seed));

    private static nn.Module<Tensor, Tensor> Model(string name)
    {
        Compute.Seed(3);
        var model = Models[name]();
        using (no_grad())   // gains and biases as after training
            foreach (var parameter in model.parameters().Where(parameter => parameter.dim() == 1))
                parameter.add_(randn_like(parameter) * 0.3);
        model.eval();
        return model;
    }
}
