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
    private readonly LayerNorm LayerNorm;
    private readonly Dropout dropout;
    private readonly HookPoint hook_embed = new();   // [batch, time, channels], normalised

    public BertEmbeddings(BertConfig config) : base(nameof(BertEmbeddings))
    {
        word_embeddings = new EmbeddingTable(config.VocabularySize, config.ModelWidth, config.PaddingToken);
        position_embeddings = new LearnedPositions(config.ContextLength, config.ModelWidth);
        token_type_embeddings = new EmbeddingTable(config.TokenTypes, config.ModelWidth);
        LayerNorm = LayerNorm(config.ModelWidth, config.NormEpsilon);
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
        var x = word_embeddings.call(tokens) + token_type_embeddings.call(types ?? zeros_like(tokens));
        x = LayerNorm.Normalize(position_embeddings.call(x));
        return dropout.call(hook_embed.call(x)).MoveToOuterDisposeScope();
    }
}
