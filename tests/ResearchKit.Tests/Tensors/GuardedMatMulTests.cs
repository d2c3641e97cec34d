using CsCheck;
using ResearchKit.Tensors;
using ResearchKit.Tests.Golden;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Tensors;

public sealed class GuardedMatMulTests
{
    [Fact]
    public void The_result_is_the_sum_of_products_for_every_compatible_shape()
    {
        var size = Gen.Int[1, 4];
        Gen.Select(size, size, size, Gen.Int[0, 2], Gen.Int[0, 2], Gen.Bool)
            .Sample((rows, inner, columns, leftBatch, rightBatch, broadcast) =>
        {
            using var scope = NewDisposeScope();
            long[] batch = [3, 2];
            var left = randn([.. batch[..leftBatch].Select((length, i) => broadcast && i == 0 ? 1 : length), rows, inner]);
            var right = randn([.. batch[(2 - rightBatch)..].Select(_ => 1L), inner, columns]);
            var expected = (left.unsqueeze(-1) * right.unsqueeze(-3)).sum(-2);
            Near.Check($"{left.ShapeText()} x {right.ShapeText()}", expected, left.MatMul(right), 1e-5);
        }, iter: 100, threads: 1);
    }

    [Fact]
    public void Vectors_count_as_a_row_on_the_left_and_a_column_on_the_right()
    {
        using var scope = NewDisposeScope();
        Assert.Equal([], ones(3).MatMul(ones(3)).shape);
        Assert.Equal([2], ones(2, 3).MatMul(ones(3)).shape);
        Assert.Equal([4], ones(3).MatMul(ones(3, 4)).shape);
        Assert.Equal([5, 4], ones(3).MatMul(ones(5, 3, 4)).shape);
        Assert.Equal([5, 2], ones(5, 2, 3).MatMul(ones(3)).shape);
    }

    [Fact]
    public void A_mismatch_is_an_exception_that_names_both_shapes()
    {
        using var scope = NewDisposeScope();
        Refused(ones(2, 3), ones(4, 5), "[2, 3]", "[4, 5]");
        Refused(ones(2, 2, 3), ones(3, 3, 4), "[2, 2, 3]", "[3, 3, 4]");
        Refused(ones(3), ones(4), "[3]", "[4]");
        Refused(ones([]), ones(4), "[]", "[4]");
        Refused(ones(2, 3), ones(3, 2, dtype: float64), "Float32", "Float64");
        Refused(ones(2, 3), ones(3, 2, device: new Device("meta")), "cpu", "meta");
    }

    [Fact]
    public void Gradients_flow()
    {
        using var scope = NewDisposeScope();
        var left = ones([2, 3], requires_grad: true);
        left.MatMul(ones(3, 2)).sum().backward();
        Near.Check("gradient", full([2, 3], 2f), left.grad!, 0);
    }

    private static void Refused(Tensor left, Tensor right, params string[] mentioned)
    {
        var message = Assert.Throws<ArgumentException>(() => left.MatMul(right)).Message;
        Assert.All(mentioned, text => Assert.Contains(text, message, StringComparison.Ordinal));
    }
}
