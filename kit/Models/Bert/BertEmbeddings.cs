using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>Sum of the token, position and token-type embeddings, normalised.</summary>
internal sealed class BertEmbeddings : Module<Tensor, Tensor>
{
    private readonly EmbeddingTable word_embeddings, token_type_embeddings;
    private readonly LearnedPositions position_embeddings;
    private readonly LayerNormalization LayerNorm;
    private readonly Dropout dropout;
    // [batch, time, channels], before the norm
    private readonly HookPoint hook_embed = new(), hook_pos_embed = new(), hook_token_type_embed = new();

    public BertEmbeddings(BertConfig config) : base(nameof(BertEmbeddings))
    {
        word_embeddings = new EmbeddingTable(config.VocabularySize, config.ModelWidth, config.PaddingToken);
        position_embeddings = new LearnedPositions(config.ContextLength, config.ModelWidth);
        token_type_embeddings = new EmbeddingTable(config.TokenTypes, config.ModelWidth);
        LayerNorm = new LayerNormalization(config.ModelWidth, config.NormEpsilon);
        dropout = Dropout(config.Dropout);
        RegisterComponents();
    }

    /// <summary>The table of token embeddings.</summary>
    public EmbeddingTable Table => word_embeddings;

    public override Tensor forward(Tensor tokens) => Embed(tokens, null);

    /// <param name="tokens">int64 [batch, time].</param>
    /// <param name="types">int64 [batch, time]; null for 0.</param>
    /// <returns>[batch, time, channels].</returns>
    public Tensor Embed(Tensor tokens, Tensor? types)
    {
        using var scope = NewDisposeScope();
        var x = hook_embed.Pass(word_embeddings.call(tokens))
            + hook_token_type_embed.Pass(token_type_embeddings.call(types ?? zeros_like(tokens)));
        x = hook_pos_embed.IsWatched ? x + hook_pos_embed.call(position_embeddings.call(zeros_like(x)))
            : position_embeddings.call(x);
        return dropout.call(LayerNorm.call(x)).MoveToOuterDisposeScope();
    }
}
