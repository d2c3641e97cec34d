using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Tasks;

/// <summary>Small models with random weights, and tokenizers that go with them.</summary>
internal static class TinyModels
{
    public const string Letters = " \nabcdefghijklmnopqrstuvwxyz.:?!";

    public static CharacterTokenizer Characters { get; } = new(Letters);

    /// <summary>A GPT over bytes, so that any text fits, with distributions that are far from even.</summary>
    public static Gpt OfBytes(int seed = 1, int contextLength = 64)
    {
        Compute.Seed(seed);
        return Sharpened(new Gpt(GptConfig.Nano with { VocabularySize = 256, ContextLength = contextLength }));
    }

    public static T Sharpened<T>(T model, double factor = 4) where T : nn.Module
    {
        using var noGrad = no_grad();
        foreach (var (_, parameter) in model.named_parameters())
            if (parameter.dim() > 1) parameter.mul_(factor);
        model.eval();
        return model;
    }

    public static WordPieceTokenizer Words { get; } = new(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "dog", "sat", "##s", "on", "mat", ".", "a", "good", "bad"]);

    public static BertConfig BertOf(int labels = 3) =>
        BertConfig.Nano with { VocabularySize = Words.VocabularySize, Labels = labels, ContextLength = 16 };
}
