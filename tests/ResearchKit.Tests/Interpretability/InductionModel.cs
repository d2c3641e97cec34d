using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

/// <summary>
/// A model whose weights were set by hand: head 0 of layer 0 copies the token before each position, and head 0 of layer 1 attends
/// to the position behind an earlier occurrence of its own token and predicts the token there. The other two heads do nothing.
/// </summary>
internal static class InductionModel
{
    public const int Vocabulary = 7, Context = 13;
    private const int Width = (3 * Vocabulary) + Context + 2, HeadWidth = Width / 2;   // two channels are left over
    private const int Token = 0, Before = Vocabulary, Answer = 2 * Vocabulary, Place = 3 * Vocabulary;
    private const double Sharpness = 30;   // a matching score is this much above the others

    /// <summary>The first token, then twice the same five: the model knows what follows the second copy's tokens.</summary>
    public static Tensor Clean => tensor(new long[,] { { 0, 1, 2, 3, 4, 5, 1, 2, 3 } });

    /// <summary>The same positions with other tokens.</summary>
    public static Tensor Corrupted => tensor(new long[,] { { 0, 6, 5, 1, 2, 3, 6, 5, 1 } });

    public static Gpt Make()
    {
        var model = new Gpt(new GptConfig
        {
            VocabularySize = Vocabulary,
            ContextLength = Context,
            ModelWidth = Width,
            Heads = 2,
            Layers = 2,
            Dropout = 0,
            AttentionOnly = true,
            Norms = false,
            TieEmbeddings = false,
        });
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var parameter in model.parameters()) parameter.zero_();
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        void Set(string name, int row, int column, double value = 1) => parameters[name][row, column] = value;
        var factor = Sharpness * Math.Sqrt(HeadWidth);
        for (var token = 0; token < Vocabulary; token++)
        {
            Set("wte.weight", token, Token + token);
            Set("lm_head.weight", token, Answer + token, 10);
            Set("h.0.attn.c_attn.weight", Token + token, (2 * Width) + token);              // value: the token
            Set("h.0.attn.c_proj.weight", token, Before + token);
            Set("h.1.attn.c_attn.weight", Token + token, token, factor);                    // query: the token
            Set("h.1.attn.c_attn.weight", Before + token, Width + token);                   // key: the token before
            Set("h.1.attn.c_attn.weight", Token + token, (2 * Width) + token);
            Set("h.1.attn.c_proj.weight", token, Answer + token);
        }
        for (var position = 0; position < Context; position++)
        {
            Set("wpe.weight", position, Place + position);
            Set("h.0.attn.c_attn.weight", Place + position, Width + position);              // key: the position
            if (position > 0) Set("h.0.attn.c_attn.weight", Place + position, position - 1, factor);
        }
        model.eval();
        return model;
    }
}
