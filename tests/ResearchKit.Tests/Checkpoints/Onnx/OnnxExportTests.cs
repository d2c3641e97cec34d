using ResearchKit.Checkpoints;
using ResearchKit.Compression;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tests.Golden;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

public sealed class OnnxExportTests : IDisposable
{
    private static readonly GptConfig Gpt = GptConfig.Nano with { VocabularySize = 40 };
    private static readonly LlamaConfig Llama = LlamaConfig.Nano with { VocabularySize = 40 };
    private static readonly BertConfig Bert = BertConfig.Nano with { VocabularySize = 40, Labels = 3 };

    /// <summary>Models, and an input of each for a batch and a size.</summary>
    private static readonly Dictionary<string, (Func<nn.Module> Make, Func<int, int, Tensor> Input)> Cases = new()
    {
        ["gpt"] = (() => new Gpt(Gpt), Tokens),
        ["gpt untied, relu"] = (() => new Gpt(Gpt with { TieEmbeddings = false, Activation = Activation.Relu }), Tokens),
        ["gpt scaled by layer, no positions"] =
            (() => new Gpt(Gpt with { ScaleScoresByLayer = true, Positions = Positions.None }), Tokens),
        ["gpt rotary"] = (() => new Gpt(Gpt with { Positions = Positions.Rotary, Activation = Activation.QuickGelu }), Tokens),
        ["gpt alibi"] = (() => new Gpt(Gpt with { Positions = Positions.Alibi, Activation = Activation.Silu }), Tokens),
        ["gpt sinusoidal"] = (() => new Gpt(Gpt with { Positions = Positions.Sinusoidal, Activation = Activation.Tanh }), Tokens),
        ["llama"] = (() => new Llama(Llama), Tokens),
        ["llama tied, scaled positions"] = (() => new Llama(Llama with
        {
            TieEmbeddings = true,
            KeyValueHeads = null,
            RotaryScaling = new RotaryScaling.Llama3(8, 1, 4, 16),
        }), Tokens),
        ["bert"] = (() => new Bert(Bert), Tokens),
        ["bert masked"] = (() => new BertForMaskedLanguageModel(Bert), Tokens),
        ["bert texts"] = (() => new BertForSequenceClassification(Bert), Tokens),
        ["bert tokens"] = (() => new BertForTokenClassification(Bert), Tokens),
        ["vit"] = (() => new Vit(VitConfig.Nano), (batch, _) => randn(batch, 1, 28, 28)),
        ["vit features"] = (() => new Vit(VitConfig.Nano with { Classes = 0 }), (batch, _) => randn(batch, 1, 28, 28)),
        ["vgg"] = (() => new Vgg(VggConfig.Nano), (batch, _) => randn(batch, 1, 24, 24)),
        ["resnet"] = (() => new ResNet(ResNetConfig.Nano), (batch, size) => randn(batch, 1, 20 + size, 21)),
        ["resnet bottleneck"] = (() => new ResNet(new ResNetConfig
        {
            Block = ResidualBlock.Bottleneck,
            Blocks = [1, 1, 1, 1],
            Width = 8,
            WidthPerGroup = 32,
            Groups = 2,
            Classes = 5,
            DilateInsteadOfStride = [false, false, true],
        }), (batch, size) => randn(batch, 3, 40 + size, 40)),
        ["googlenet"] = (() => new GoogLeNet(GoogLeNetConfig.Nano), (batch, size) => randn(batch, 1, 20 + size, 23)),
        ["googlenet standard"] = (
            () => new GoogLeNet(new GoogLeNetConfig { Classes = 5, WidthDivisor = 8, TransformInput = true }),
            (batch, size) => randn(batch, 3, 40 + size, 47)),
        ["inception"] = (() => new InceptionV3(InceptionV3Config.Nano), (batch, size) => randn(batch, 3, 75 + size, 80)),
        ["lstm"] = (() => new RecurrentClassifier(new RecurrentClassifierConfig { InputWidth = 6, HiddenWidth = 8, Layers = 2 }),
            (batch, time) => randn(batch, time, 6)),
        ["gru, last"] = (() => new RecurrentClassifier(new RecurrentClassifierConfig
        {
            InputWidth = 6,
            HiddenWidth = 8,
            Cell = RecurrentCell.Gru,
            Pooling = SequencePooling.Last,
        }), (batch, time) => randn(batch, time, 6)),
        ["gru language model"] = (() => new RecurrentLanguageModel(RecurrentLanguageModelConfig.CharacterGru with
        {
            VocabularySize = 40,
            EmbeddingWidth = 16,
            HiddenWidth = 16,
            HasRecurrentBias = false,
        }), Tokens),
        ["lstm language model"] = (() => new RecurrentLanguageModel(RecurrentLanguageModelConfig.CharacterLstm with
        {
            VocabularySize = 40,
            EmbeddingWidth = 16,
            HiddenWidth = 16,
        }), Tokens),
    };

    private readonly DisposeScope scope = NewDisposeScope();
    private readonly TemporaryFolder folder = new();

    public static TheoryData<string> Names => [.. Cases.Keys];

    private string Path => System.IO.Path.Combine(folder.Path, "model.onnx");

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ONNX_Runtime_computes_what_the_model_does_for_any_batch_and_time(string name)
    {
        var (model, input) = Made(name);
        using var _ = model;
        model.SaveOnnx(Path);
        using var run = new OnnxRun(Path);
        foreach (var (batch, size) in new[] { (2, 7), (3, 4), (1, 1) })
        {
            var given = input(batch, size);
            var expected = ((nn.Module<Tensor, Tensor>)model).call(given);
            Near.Check($"{name}, {batch} × {size}", expected, run.Run(given)[0], 1e-4);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_T5_gives_logits_and_the_encoders_output(bool gated)
    {
        Compute.Seed(1);
        using var model = new T5(
            T5Config.Nano with { VocabularySize = 40, Gated = gated, TieEmbeddings = !gated, DecoderLayers = 1 });
        model.eval();
        model.SaveOnnx(Path, new OnnxOptions { HasAttentionMask = true });
        using var run = new OnnxRun(Path);
        Assert.Equal(["input_ids", "attention_mask", "decoder_input_ids"], run.Inputs);
        foreach (var time in new[] { 3, 50 })   // beyond the largest distance too
        {
            var (source, written, mask) = (Tokens(2, time), Tokens(2, 5), Mask(2, time));
            var results = run.Run(source, mask, written);
            Near.Check("logits", model.Logits(source, written, mask), results[0], 1e-4);
            Near.Check("encoder", model.Encode(source, mask), results[1], 1e-4);
        }
    }

    [Fact]
    public void Masks_and_token_types_are_inputs_where_they_are_asked_for()
    {
        Compute.Seed(1);
        var options = new OnnxOptions { HasAttentionMask = true, HasTokenTypes = true };
        using var bert = new Bert(Bert);
        bert.eval();
        bert.SaveOnnx(Path, options);
        var (tokens, mask, types) = (Tokens(2, 7), Mask(2, 7), randint(0, 2, [2, 7], int64));
        using (var run = new OnnxRun(Path))
        {
            Assert.Equal(["input_ids", "attention_mask", "token_type_ids"], run.Inputs);
            Assert.Equal(["last_hidden_state", "pooler_output"], run.Outputs);
            var results = run.Run(tokens, mask, types);
            var features = bert.Features(tokens, mask, types);
            Near.Check("features", features, results[0], 1e-4);
            Near.Check("pooled", bert.Pool(features), results[1], 1e-4);
        }
        using var gpt = new Gpt(Gpt);
        gpt.eval();
        gpt.SaveOnnx(Path, options);
        using var decoder = new OnnxRun(Path);
        Near.Check("logits", gpt.Logits(tokens, mask), decoder.Run(tokens, mask)[0], 1e-4);
    }

    [Theory]
    [InlineData("gpt")]
    [InlineData("llama")]
    [InlineData("bert masked")]
    [InlineData("vit")]
    [InlineData("vgg")]
    public void Eight_bit_products_are_close_and_the_weights_a_quarter(string name)
    {
        var (model, input) = Made(name);
        using var _ = model;
        model.SaveOnnx(Path);
        var whole = new FileInfo(Path).Length;
        var given = input(2, 7);
        var expected = ((nn.Module<Tensor, Tensor>)model).call(given);
        foreach (var quantizesHead in new[] { false, true })
        {
            // 7 bits: right on processors without VNNI too
            model.SaveOnnx(Path, new OnnxOptions
            {
                Precision = OnnxPrecision.EightBits,
                ReducesRange = true,
                QuantizesHead = quantizesHead
            });
            Assert.True(new FileInfo(Path).Length < 0.75 * whole);
            using var run = new OnnxRun(Path);
            var error = ((run.Run(given)[0] - expected).norm() / expected.norm()).item<float>();
            Assert.InRange(error, 1e-4, 0.06);
        }
    }

    [Fact]
    public void Weights_in_a_second_file_give_the_same()
    {
        var (model, input) = Made("bert");
        using var _ = model;
        model.SaveOnnx(Path, new OnnxOptions { SeparatesWeights = true });
        Assert.True(new FileInfo(Path + ".data").Length > 2 * new FileInfo(Path).Length);
        using var run = new OnnxRun(Path);
        var given = input(2, 7);
        Near.Check("features", ((nn.Module<Tensor, Tensor>)model).call(given), run.Run(given)[0], 1e-4);
    }

    [Theory]
    [InlineData(24, 3)]
    [InlineData(40, 3)]   // a map of 5, pooled to 3 over overlapping windows
    [InlineData(8, 3)]    // a map of 1, spread to 3
    public void A_VGG_of_another_image_size_pools_as_the_model_does(int size, int pooled)
    {
        Compute.Seed(1);
        using var model = new Vgg(VggConfig.Nano with { PooledSize = pooled });
        model.eval();
        model.SaveOnnx(Path, new OnnxOptions { ImageSize = size });
        using var run = new OnnxRun(Path);
        var images = randn(2, 1, size, size);
        Near.Check("logits", model.call(images), run.Run(images)[0], 1e-4);
    }

    [Fact]
    public void What_cannot_be_written_is_refused_and_nothing_is_written()
    {
        using var model = new Gpt(Gpt);
        Adapters.Attach(model);
        Assert.Contains("merge", Assert.Throws<InvalidOperationException>(() => model.SaveOnnx(Path)).Message,
            StringComparison.Ordinal);
        Adapters.Merge(model);
        model.SaveOnnx(Path);
        File.Delete(Path);
        using var vgg = new Vgg(VggConfig.Nano);
        Assert.Contains("at least 8", Assert.Throws<ArgumentException>(
            () => vgg.SaveOnnx(Path, new OnnxOptions { ImageSize = 7 })).Message, StringComparison.Ordinal);
        using var packed = vgg.PackForInference();
        Assert.Throws<InvalidOperationException>(() => packed.SaveOnnx(Path));
        using var other = nn.Linear(2, 2);
        Assert.Contains("Gpt", Assert.Throws<ArgumentException>(() => other.SaveOnnx(Path)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    private static (nn.Module Model, Func<int, int, Tensor> Input) Made(string name)
    {
        Compute.Seed(1);
        var model = Cases[name].Make();
        foreach (var (key, buffer) in model.named_buffers())   // batch norms that do something
            if (key.EndsWith("running_mean", StringComparison.Ordinal)) buffer.uniform_(-0.2, 0.2);
            else if (key.EndsWith("running_var", StringComparison.Ordinal)) buffer.uniform_(0.5, 1.5);
        foreach (var (key, parameter) in model.named_parameters())   // norms and biases that do something
            if (parameter.dim() == 1)
                using (no_grad()) parameter.add_(rand_like(parameter) * 0.2);
        model.eval();
        return (model, Cases[name].Input);
    }

    private static Tensor Tokens(int batch, int time) => randint(0, 40, [batch, time], int64);

    /// <summary>The last tokens of the first row are padding.</summary>
    private static Tensor Mask(int batch, int time)
    {
        var mask = ones([batch, time], int64);
        mask[0, (time / 2 + 1)..] = tensor(0L);
        return mask;
    }
}
