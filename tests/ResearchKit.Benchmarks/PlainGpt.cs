using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Benchmarks;

/// <summary>A GPT as one writes it with TorchSharp alone: attention by its formula, one operation after the other.</summary>
internal sealed class PlainGpt : Module<Tensor, Tensor>
{
    private readonly Embedding tokens, positions;
    private readonly Sequential blocks;
    private readonly LayerNorm norm;
    private readonly Linear head;

    public PlainGpt(int vocabulary, int context, int width, int heads, int layers) : base(nameof(PlainGpt))
    {
        tokens = Embedding(vocabulary, width);
        positions = Embedding(context, width);
        blocks = Sequential([.. Enumerable.Range(0, layers)
            .Select(layer => ($"{layer}", (Module<Tensor, Tensor>)new Block(context, width, heads)))]);
        norm = LayerNorm(width);
        head = Linear(width, vocabulary, hasBias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = tokens.call(input) + positions.call(arange(input.shape[1]));
        return head.call(norm.call(blocks.call(x))).MoveToOuterDisposeScope();
    }

    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly int heads;
        private readonly LayerNorm norm1, norm2;
        private readonly Linear attention, projection, up, down;
        private readonly Tensor later;   // [1, 1, context, context], true where a key comes after its query

        public Block(int context, int width, int heads) : base(nameof(Block))
        {
            this.heads = heads;
            (norm1, norm2) = (LayerNorm(width), LayerNorm(width));
            (attention, projection) = (Linear(width, 3 * width), Linear(width, width));
            (up, down) = (Linear(width, 4 * width), Linear(4 * width, width));
            later = ones(context, context, ScalarType.Bool).triu(1).reshape(1, 1, context, context);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            x += Attention(norm1.call(x));
            return (x + down.call(functional.gelu(up.call(norm2.call(x))))).MoveToOuterDisposeScope();
        }

        private Tensor Attention(Tensor x)
        {
            var (batch, time, width) = (x.shape[0], x.shape[1], x.shape[2]);
            var parts = attention.call(x).split(width, 2)
                .Select(part => part.view(batch, time, heads, width / heads).transpose(1, 2)).ToArray();
            var scores = parts[0].matmul(parts[1].transpose(-2, -1)) * Math.Pow(width / heads, -0.5);
            var pattern = scores.masked_fill(later, double.NegativeInfinity).softmax(-1);
            return projection.call(pattern.matmul(parts[2]).transpose(1, 2).contiguous().view(batch, time, width));
        }
    }
}
