using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tests.Golden;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

public sealed class GgufModelTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly TemporaryFolder folder = new();

    private string Path => System.IO.Path.Combine(folder.Path, "model.gguf");

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_GPT_is_the_same_after_writing_and_reading(bool tied)
    {
        using var model = MakeGpt(tied);
        model.SaveGguf(Path);
        using var read = Gpt.FromGguf(Path);
        var tokens = randint(0, 64, [2, 9]);
        Assert.True(model.forward(tokens).Equals(read.forward(tokens)));
        Assert.Equal(model.Config.Layers, read.Config.Layers);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(2)]
    public void A_Llama_is_the_same_after_writing_and_reading(int keyValueHeads)
    {
        Compute.Seed(1);
        using var model = new Llama(new LlamaConfig
        {
            VocabularySize = 64,
            ContextLength = 32,
            ModelWidth = 64,
            FeedForwardWidth = 96,
            Layers = 2,
            Heads = 4,
            KeyValueHeads = keyValueHeads,
        });
        model.eval();
        model.SaveGguf(Path);
        using var read = Llama.FromGguf(Path);
        var tokens = randint(0, 64, [2, 9]);
        Assert.True(model.forward(tokens).Equals(read.forward(tokens)));
        // llama.cpp rotates neighbouring rows of a head; the model rotates rows that lie half a head apart
        var stored = GgufFile.Open(Path).Read("blk.0.attn_q.weight");
        var own = model.state_dict()["model.layers.0.self_attn.q_proj.weight"];
        Assert.True(own[0].Equals(stored[0]) && own[8].Equals(stored[1]) && own[1].Equals(stored[2])
            && own[16].Equals(stored[16]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_BERT_is_the_same_after_writing_and_reading(bool withPooler)
    {
        using var model = LlamaCppTests.MakeBert(withPooler);
        model.SaveGguf(Path);
        using var read = Bert.FromGguf(Path);
        var (tokens, types) = (randint(0, 64, [2, 9]), randint(0, 2, [2, 9]));
        var features = model.Features(tokens, tokenTypes: types);
        Assert.True(features.Equals(read.Features(tokens, tokenTypes: types)));
        if (withPooler) Assert.True(model.Pool(features).Equals(read.Pool(features)));
        else Assert.Throws<InvalidOperationException>(() => read.Pool(features));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_T5_is_the_same_after_writing_and_reading(bool gated)
    {
        using var model = LlamaCppTests.MakeT5(gated);
        model.SaveGguf(Path);
        using var read = T5.FromGguf(Path);
        var (tokens, written) = (randint(0, 64, [2, 9]), randint(0, 64, [2, 5]));
        foreach (var (name, tensor) in model.state_dict()) Assert.True(tensor.Equals(read.state_dict()[name]), name);
        Near.Check("logits", model.Logits(tokens, written), read.Logits(tokens, written), 1e-5);
        Assert.Equal(!gated, read.Config.TieEmbeddings);
        Assert.Contains(GgufFile.Open(Path).Tensors, tensor => tensor.Name == "output.weight");
        using var far = new T5(model.Config with { RelativeMaximumDistance = 64 });
        Assert.Contains("128", Assert.Throws<ArgumentException>(() => far.SaveGguf(Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_WordPiece_tokenizer_goes_with_a_BERT()
    {
        string[] tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hen", "##s", "the", ","];
        var tokenizer = new WordPieceTokenizer(
            [.. tokens, .. Enumerable.Range(0, 64 - tokens.Length).Select(number => $"x{number}")]);
        using var model = LlamaCppTests.MakeBert();
        model.SaveGguf(Path, tokenizer: tokenizer);
        var file = GgufFile.Open(Path);
        Assert.Equal(["\u2581hen", "s", "\u2581the"], ((object[])file.Values["tokenizer.ggml.tokens"])[5..8]);
        Assert.Equal(2L, file.Values["tokenizer.ggml.cls_token_id"]);
        var read = file.ReadWordPieces();
        Assert.Equal(tokenizer.Encode("The hens, x7"), read.Encode("The hens, x7"));
        Assert.Equal(tokenizer.Special, read.Special);
        Assert.Contains("'bert'", Assert.Throws<InvalidDataException>(() => file.ReadTokenizer()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Quantized_matrices_change_the_logits_little_and_vectors_stay()
    {
        using var model = MakeGpt(tied: true);
        var tokens = randint(0, 64, [2, 9]);
        var expected = model.forward(tokens);
        model.SaveGguf(Path, GgufType.Q8_0);
        var file = GgufFile.Open(Path);
        Assert.All(file.Tensors, tensor => Assert.Equal(
            tensor.Shape.Count == 2 && tensor.Name != "position_embd.weight" ? GgufType.Q8_0 : GgufType.F32, tensor.Type));
        using var read = Gpt.FromGguf(Path);
        Assert.InRange(((read.forward(tokens) - expected).norm() / expected.norm()).item<float>(), 1e-5, 0.03);
    }

    [Fact]
    public void A_tokenizer_goes_with_the_model()
    {
        var vocabulary = ByteSymbols.All.ToArray().Select(symbol => symbol.ToString()).Append("he").Append("<|endoftext|>")
            .Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id);
        var tokenizer = new ByteLevelBpeTokenizer(vocabulary, [("h", "e")]);
        using var model = new Gpt(GptConfig.Nano with { VocabularySize = 258, Layers = 1, ModelWidth = 32, Heads = 2 });
        model.SaveGguf(Path, tokenizer: tokenizer);
        var read = GgufFile.Open(Path).ReadTokenizer();
        Assert.Equal(tokenizer.Encode("the hen é"), read.Encode("the hen é"));
        Assert.Equal(257, read.Special.End);
        Assert.Contains("258 tokens", Assert.Throws<ArgumentException>(() =>
        {
            using var other = MakeGpt(tied: true);
            other.SaveGguf(Path, tokenizer: tokenizer);
        }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_other_architectures_and_models_that_do_not_fit_are_refused()
    {
        using var model = MakeGpt(tied: true);
        model.SaveGguf(Path);
        Assert.Contains("'gpt2'", Assert.Throws<InvalidDataException>(() => Llama.FromGguf(Path)).Message,
            StringComparison.Ordinal);
        Assert.Contains("none", Assert.Throws<InvalidDataException>(() => GgufFile.Open(Path).ReadTokenizer()).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => model.SaveGguf(Path, GgufType.Q4_K));   // rows of 64, blocks of 256
        GgufWriter.Write(Path, new Dictionary<string, object> { ["general.architecture"] = "gpt2" }, []);
        Assert.Contains("context_length", Assert.Throws<InvalidDataException>(() => Gpt.FromGguf(Path)).Message,
            StringComparison.Ordinal);
    }

    private static Gpt MakeGpt(bool tied)
    {
        Compute.Seed(1);
        var model = new Gpt(new GptConfig
        {
            VocabularySize = 64,
            ContextLength = 32,
            ModelWidth = 64,
            Heads = 4,
            Layers = 2,
            TieEmbeddings = tied
        });
        model.eval();
        return model;
    }
}
