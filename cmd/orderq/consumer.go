package main

import (
	"context"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"orderq/consumer"
)

func newConsumerCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "consumer",
		Annotations: map[string]string{stays: "yes"},
		Short:       "Send orders to the partner's API until stopped",
		Args:        cobra.NoArgs,
		RunE:        func(cmd *cobra.Command, _ []string) error { return a.runConsumer(cmd.Context()) },
	}
}

func (a *app) runConsumer(ctx context.Context) error {
	s, err := a.newService(roleConsumer, "consumer.admin", func(c Config) string { return c.Consumer.Admin })
	if err != nil {
		return err
	}
	defer s.close()
	sender, err := s.cfg.newSender(s.log.Logger)
	if err != nil {
		return err
	}
	defer sender.Close()
	c, err := consumer.New(s.queue, sender, s.cfg.consumerConfig(s.log.Logger, s.registry))
	if err != nil {
		return err
	}
	s.stuck = c.Stuck
	s.reloading.apply["consumer.pace"] = func(now *loaded) error {
		s.cfg.Consumer.Pace = now.Consumer.Pace
		c.SetPace(now.Consumer.Pace)
		return nil
	}
	s.log.Info("sending orders", zap.String("url", withoutQuery(s.cfg.Consumer.API.URL)), zap.Stringer("pace", s.cfg.Consumer.Pace),
		zap.String("queue", s.queue.Name()), zap.String("redis", s.queue.Redis()))
	return s.run(ctx, func(ctx context.Context) error {
		defer context.AfterFunc(ctx, func() {
			s.log.Info("stopping: taking no more orders")
			s.admin.drain()
		})()
		err := c.Run(ctx)
		s.log.Info("stopped")
		return err
	})
}
